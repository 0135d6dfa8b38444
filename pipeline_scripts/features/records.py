"""Records of the Feature Store: from typed rows to texts, and back to the very same values.

The store holds every value as text. A number is written in the fewest digits that read back as the same number, a
boolean as 1 or 0, and what is missing is left out. Back, the texts pass the same typing as a data set does, so an
encoder cannot tell which way a row came.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline_scripts.analysis.frames import typed
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model

EVENT_TIME = "event_time"
DATASET_RUN = "dataset_run"

Record = list[dict[str, str]]
"""A record as PutRecord takes it and GetRecord gives it."""


def record_identifier(model: Model) -> str:
    """The column whose value finds a record: the surrogate of the person that a row is about.

    Raises:
        JobError: The model has none.
    """
    for column in model.columns:
        if column.treatment == "surrogate" and column.output is not None:
            return column.output
    raise JobError(f"{model.name} has no surrogate column, so its records could not be found again; declare one")


def records_of(frame: pd.DataFrame, model: Model, *, event_time: str, dataset_run: str) -> Iterator[Record]:
    """The records of a data set's rows, in their order.

    Args:
        frame: Rows of the curated zone.
        model: The model.
        event_time: Since when they hold, as ISO 8601 in UTC.
        dataset_run: The run of the ETL job that made them.

    Raises:
        JobError: A column is missing or of another type, a row has no identifier, or a number is infinite.
    """
    identifier = record_identifier(model)
    content = typed(frame, model, (identifier, *model.inputs))
    if content[identifier].isna().any():
        raise JobError(f"{int(content[identifier].isna().sum())} row(s) have no {identifier}; run the ETL job again")
    for name in model.inputs:
        if model.kind(name) == "double" and content[name].isin([math.inf, -math.inf]).any():
            raise JobError(f"{name!r} holds an infinite number, which no feature can be; mend it in the source")
    columns = [(name, _texts(content[name], model.kind(name))) for name in (identifier, *model.inputs)]
    stamp = ((EVENT_TIME, event_time), (DATASET_RUN, dataset_run))
    for row in range(len(content)):
        present = [(name, text) for name, texts in columns if (text := texts[row]) is not None]
        yield [{"FeatureName": name, "ValueAsString": text} for name, text in (*present, *stamp)]


def rows_of(records: Iterable[Sequence[Mapping[str, Any]]], model: Model) -> pd.DataFrame:
    """The model's inputs in these records, typed as those of a data set are.

    Raises:
        JobError: A record holds a value of another type than the model's.
    """
    held = [{item["FeatureName"]: item["ValueAsString"] for item in record} for record in records]
    raw = {
        name: pd.Series([_value(record.get(name), name, model.kind(name)) for record in held], dtype=object)
        for name in model.inputs
    }
    return typed(pd.DataFrame(raw), model, model.inputs)


def _texts(column: "pd.Series[Any]", kind: str) -> list[str | None]:
    if kind == "string":
        return [None if value is None else str(value) for value in column]
    write = repr if kind == "double" else str
    python = float if kind == "double" else int
    return [None if pd.isna(value) else write(python(value)) for value in column]


def _value(text: str | None, name: str, kind: str) -> Any:
    if text is None or kind == "string":
        return text
    try:
        return float(text) if kind == "double" else int(text)
    except ValueError as error:
        raise JobError(f"{name!r} of a record is not {kind}; is the feature group of this model?") from error
