"""The rows that a data engineer's flow made of the data set, checked before anything is learnt from them.

A flow may drop rows and mend values. It may lose neither what the model is trained on nor whom a row is about, by which
the hold-out is frozen.
"""

from pathlib import Path

import pandas as pd

from pipeline_scripts.analysis.frames import typed
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.training.split import identifier


def wrangled_rows(folder: Path, model: Model) -> pd.DataFrame:
    """Every row below a folder, with the columns that the model needs, at their types.

    Raises:
        JobError: There is no file, a column is missing or of another type, or a row says no longer whom it is about.
    """
    files = sorted(folder.rglob("*.parquet"))
    flow = (model.settings.get("wrangler") or {}).get("flow", "the flow")
    if not files:
        raise JobError(f"{folder} holds no Parquet file; did {flow} write another format?")
    rows = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    key = identifier(model)
    needed = (*model.inputs, model.target, *((key,) if key else ()))
    missing = [name for name in needed if name not in rows.columns]
    if missing:
        raise JobError(f"{flow} leaves no column {missing[0]!r}, which the model needs; keep it in the flow")
    kept = typed(rows, model, needed)
    if key and kept[key].isna().any():
        raise JobError(f"{flow} leaves rows without {key!r}, which says whom a row is about; do not change that column")
    return kept
