"""Source rows as the requests an application would send to the endpoint, and the labels it learns later."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pipeline_scripts.etl.bands import band_labels, bounds_reached
from pipeline_scripts.model import Column, parse_model


def requests(*, frame: pd.DataFrame, model_json: dict[str, Any], as_of: date, prefix: str = "request") -> pd.DataFrame:
    """One request a row, generalised exactly as the ETL generalises.

    Args:
        frame: Rows of the source table.
        model_json: The model's specification as JSON.
        as_of: The day on which ages are counted.
        prefix: Of the inference ids; another one for every batch that must not be confused with this one.

    Returns:
        Columns `inference_id`, `csv` (the inputs in the model's order), `json` (for `instances`), `label` (the
        target's own value), and the inputs themselves.
    """
    model = parse_model(model_json)
    columns = {column.output: column for column in model.columns}
    inputs = pd.DataFrame({name: _treated(frame, columns[name], as_of) for name in model.inputs}, index=frame.index)
    records = [_plain(record) for record in inputs.itertuples(index=False, name=None)]
    known = pd.DataFrame(
        {
            "inference_id": [f"{prefix}-{number:07d}" for number in range(len(frame))],
            "csv": [_csv_line(record) for record in records],
            "json": [json.dumps(dict(zip(model.inputs, record, strict=True))) for record in records],
            "label": frame[columns[model.target].name],
        },
        index=frame.index,
    )
    return known.join(inputs)


def _treated(frame: pd.DataFrame, column: Column, as_of: date) -> "pd.Series[Any]":
    values = frame[column.name]
    if column.bands:
        return _banded(values, column, as_of)
    if column.prefix:
        return values.astype("string").str.slice(0, column.prefix).astype(object)
    return values


def _banded(values: "pd.Series[Any]", column: Column, as_of: date) -> "pd.Series[Any]":
    bounds, present = column.bands or (), values.notna()
    labels = np.array(band_labels(bounds), dtype=object)
    reached = bounds_reached(values[present], kind=column.type, bounds=bounds, as_of=as_of)
    banded = pd.Series(None, index=values.index, dtype=object)
    banded[present] = labels[sum(bound.to_numpy().astype(np.int64) for bound in reached)]
    return banded


def _plain(record: Sequence[Any]) -> list[Any]:
    """Python's own values, with None where there is none."""
    return [None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value for value in record]


def _csv_line(record: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(record)
    return line.getvalue()
