"""Step 2: what the inputs of training look like, for the data-quality monitor to compare with."""

from collections.abc import Sequence

import pandas as pd

from pipeline_scripts.analysis.column_statistics import column_constraints, column_statistics
from pipeline_scripts.analysis.frames import typed
from pipeline_scripts.analysis.job import folders, run_job
from pipeline_scripts.analysis.json_files import write_json
from pipeline_scripts.model import load_model


def main(argv: Sequence[str]) -> int:
    """`--baseline` (baseline.csv) in; `--output` (statistics.json, constraints.json) out."""
    paths = folders(argv, "baseline", "output")

    def work() -> str:
        model = load_model()
        texts = {name: str for name in model.inputs if model.kind(name) == "string"}
        frame = pd.read_csv(paths.baseline / "baseline.csv", dtype=texts, keep_default_na=False, na_values=[""])
        statistics = column_statistics(typed(frame, model, model.inputs), model)
        write_json(paths.output / "statistics.json", statistics)
        write_json(paths.output / "constraints.json", column_constraints(statistics, model))
        return f"Completed: described {len(model.inputs)} inputs on {len(frame)} rows."

    return run_job(work)
