"""Drift for any table: the same rows as if the world had changed, made from nothing but the model's declaration."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipeline_scripts.model import Column, parse_model

FEW_VALUES = 12  # up to here a whole-numbered column counts as a category (flags, number of products)
RESAMPLED = 0.7  # share of rows whose category is drawn anew
OLDER = timedelta(days=12 * 365)


def drifted(*, frame: pd.DataFrame, model_json: dict[str, Any], seed: int) -> pd.DataFrame:
    """The rows with every column that feeds a feature moved; labels, facets and persons stay.

    Numbers move up by a standard deviation and spread, in categories the rare become common, and everybody grows
    older.
    """
    model = parse_model(model_json)
    generator = np.random.default_rng(seed)
    moved = frame.copy()
    for column in model.columns:
        if column.output in model.features:
            moved[column.name] = _moved(frame[column.name], column, generator)
    return moved


def _moved(values: "pd.Series[Any]", column: Column, generator: np.random.Generator) -> "pd.Series[Any]":
    if column.type == "date":
        return values.map(lambda day: day - OLDER, na_action="ignore")
    if column.type == "double" or (column.type == "integer" and values.nunique() > FEW_VALUES):
        return _shifted(values, whole=column.type == "integer")
    return _resampled(values, generator)


def _shifted(values: "pd.Series[Any]", *, whole: bool) -> "pd.Series[Any]":
    """Up by one standard deviation, and a fifth further apart."""
    middle, spread = values.mean(), values.std(ddof=0)
    moved = middle + spread + (values - middle) * 1.2
    return moved.round().astype(values.dtype) if whole else moved.round(2)


def _resampled(values: "pd.Series[Any]", generator: np.random.Generator) -> "pd.Series[Any]":
    """Most rows get another value: the rarest three times as often as the next, and so on up to the commonest."""
    rarest_first = values.value_counts().sort_index(kind="stable").sort_values(kind="stable").index.to_numpy()
    weights = 3.0 ** -np.arange(len(rarest_first))
    drawn = generator.choice(rarest_first, size=len(values), p=weights / weights.sum())
    changed = (generator.random(len(values)) < RESAMPLED) & values.notna().to_numpy()
    return values.where(~changed, pd.Series(drawn, index=values.index))
