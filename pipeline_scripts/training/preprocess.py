"""Step 1: from a verified data set to the three sides of the split, the baseline, and the fitted transformer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline_scripts.analysis.frames import read_frames, typed
from pipeline_scripts.analysis.hashing import file_sha256
from pipeline_scripts.analysis.job import JobError, folders, run_job
from pipeline_scripts.analysis.json_files import read_json, write_json
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.training.fitting import fit_transformer
from pipeline_scripts.training.split import HOLDOUT, TRAIN, VALIDATION, holdout_of, identifier, split
from pipeline_scripts.training.wrangled import wrangled_rows


def main(argv: Sequence[str]) -> int:
    """`--dataset` and a flow's `--wrangled` in; the three sides, `--baseline --analysis --transformer` out."""
    outputs = (TRAIN, VALIDATION, HOLDOUT, "baseline", "analysis", "transformer")
    paths = folders(argv, "dataset", *outputs, optional=("wrangled",))
    return run_job(lambda: preprocess(paths.dataset, paths.wrangled, vars(paths), load_model()))


def preprocess(dataset: Path, wrangled: Path | None, outputs: dict[str, Path], model: Model) -> str:
    """Verify, split, fit and write; says how many rows lie on which side.

    The rows are those that a flow made, where there is one; the data set they come from is verified all the same.
    """
    verify(dataset)
    found = read_frames(dataset) if wrangled is None else wrangled_rows(wrangled, model)
    frame, unlabelled = labelled_rows(found, model)
    sides = split(frame, model)
    for name, rows in sides.items():
        outputs[name].mkdir(parents=True, exist_ok=True)
        rows.to_parquet(outputs[name] / f"{name}.parquet", index=False)
    inputs = list(model.inputs)
    _write_csv(sides[TRAIN][inputs], outputs["baseline"] / "baseline.csv")
    _write_csv(sides[HOLDOUT][[model.target, *inputs]], outputs["analysis"] / "analysis.csv")
    write_json(outputs["transformer"] / "transformer.json", fit_transformer(sides[TRAIN], model).to_json())
    write_json(outputs["transformer"] / "holdout.json", holdout_of(frame, model).to_json())
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in sides.items())
    return f"Completed: {counts} rows; {unlabelled} rows without a label were left out."


def verify(dataset: Path) -> dict[str, Any]:
    """Check the files against the manifest that the ETL job wrote last, and give it.

    Raises:
        JobError: A file is missing, changed, or not of the data set.
    """
    manifest: dict[str, Any] = read_json(dataset / "_manifest.json")
    listed = {entry["name"]: entry["sha256"] for entry in manifest["files"]}
    present = {path.name for path in dataset.glob("*.parquet")}
    for name in sorted(present ^ set(listed)):
        fault = "is listed in _manifest.json but missing" if name in listed else "is not listed in _manifest.json"
        raise JobError(f"{name} {fault}; the data set is not the one that was written, run the ETL job again")
    for name, sha256 in sorted(listed.items()):
        if file_sha256(dataset / name) != sha256:
            raise JobError(
                f"{name} differs from its hash in _manifest.json; the data set was changed after it was written"
            )
    return manifest


def labelled_rows(frame: pd.DataFrame, model: Model) -> tuple[pd.DataFrame, int]:
    """The rows that have a label, typed, and how many have none."""
    names = (*model.inputs, model.target)
    content = typed(frame, model, names)
    key = identifier(model)
    if key is not None and key in frame.columns:
        content[key] = frame[key].astype(str)
    kept = content[content[model.target].notna()]
    if kept.empty:
        raise JobError(f"no row has a label in {model.target!r}; there is nothing to learn from")
    return kept.reset_index(drop=True), len(content) - len(kept)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n")
