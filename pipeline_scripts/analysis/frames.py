"""Frames of raw values, typed as the model's JSON says."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model

Labels = npt.NDArray[np.int8]
Outcomes = npt.NDArray[np.int8] | npt.NDArray[np.floating[Any]]


def read_frames(folder: Path) -> pd.DataFrame:
    """Read every Parquet file of a folder, in order of name, as one frame.

    Raises:
        JobError: There is none.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise JobError(f"{folder} holds no Parquet file; was the step that writes it left out?")
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def typed(frame: pd.DataFrame, model: Model, names: tuple[str, ...]) -> pd.DataFrame:
    """The named columns at the types of the model: Int64, float64 or text, each with its way to be missing.

    Raises:
        JobError: A column is missing, or holds a value of another type.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise JobError(f"the data set has no column {missing[0]!r}, which the model needs; run the ETL job again")
    return pd.DataFrame({name: _typed_column(frame[name], model.kind(name)) for name in names})


def _typed_column(column: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    if kind in ("date", "timestamp"):
        raise JobError(f"{column.name!r} is a {kind}, which no model can learn from; generalise it into bands")
    try:
        if kind == "string":
            return column.astype(object).where(column.notna(), None)
        numbers = pd.to_numeric(column).astype("float64")
        return numbers if kind == "double" else numbers.astype("Int64")
    except (ValueError, TypeError) as error:
        raise JobError(f"{column.name!r} holds a value that is not {kind}: {error}") from error


def outcomes(frame: pd.DataFrame, model: Model) -> Outcomes:
    """What there is to learn: the target's number, or 1 where it has the positive value, else 0."""
    if model.regression:
        return frame[model.target].to_numpy(dtype=np.float64)
    return (frame[model.target].astype(str) == str(model.positive)).to_numpy().astype(np.int8)


def labels(frame: pd.DataFrame, model: Model) -> Labels:
    """1 where the outcome is the favourable one, else 0: what groups are compared by."""
    return favourable(outcomes(frame, model), model)


def favourable(known: Outcomes, model: Model) -> Labels:
    """The same of outcomes that are already at hand."""
    bound = model.favourable_above
    return (known if bound is None else known > bound).astype(np.int8)


def predicted(answers: npt.NDArray[np.floating[Any]], model: Model) -> Labels:
    """1 where the version foretells the favourable outcome: a probability from the threshold on, or such a number."""
    if model.regression:
        return favourable(answers, model)
    return (answers >= float(model.settings["serving"]["threshold"])).astype(np.int8)
