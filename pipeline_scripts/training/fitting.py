"""Fitting the transformer on the rows of training, and on nothing else."""

from typing import Any

import pandas as pd

from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.etl.bands import band_labels
from pipeline_scripts.model import Model
from pipeline_scripts.serving.signature import Input, Signature
from pipeline_scripts.serving.transformer import Feature, Transformer

MOST_CATEGORIES = 50  # a column each: rarer categories count as unknown


def fit_transformer(train: pd.DataFrame, model: Model) -> Transformer:
    """Choose every feature's encoding by its kind, and fit its categories and fill value.

    Bands have an order, which their model knows and one-hot columns would forget: a banded feature becomes its band's
    place. Other text becomes one column a category. Numbers stay as they are.

    Raises:
        JobError: A feature has no value at all in training.
    """
    for name in model.features:
        if train[name].notna().sum() == 0:
            raise JobError(f"feature {name!r} is empty in every row of training; leave it out or mend its source")
    return Transformer(features=tuple(_fit(train[name].dropna(), name, model) for name in model.features))


def _fit(values: "pd.Series[Any]", name: str, model: Model) -> Feature:
    if model.kind(name) != "string":
        return Feature(name=name, encoding="number", fill=float(values.median()))
    banded = next((column for column in model.columns if column.output == name and column.bands), None)
    if banded is not None:
        order = band_labels(banded.bands or ())
        places = values.map({band: place for place, band in enumerate(order)})
        if places.isna().any():
            stray = values[places.isna()].iloc[0]
            raise JobError(f"{name!r} holds {stray!r}, which is none of its bands; run the ETL job again")
        return Feature(name=name, encoding="ordinal", categories=order, fill=float(places.median()))
    counts = values.value_counts()
    commonest = sorted(counts.index, key=lambda category: (-counts[category], category))[:MOST_CATEGORIES]
    return Feature(name=name, encoding="one_hot", categories=tuple(sorted(commonest)))


def make_signature(transformer: Transformer, model: Model) -> Signature:
    """What a request to this version carries."""
    categories = {item.name: item.categories for item in transformer.features if item.categories}
    return Signature(
        model=model.name,
        problem=model.problem,
        algorithm=model.settings["training"]["algorithm"],
        inputs=tuple(
            Input(name=name, type=model.kind(name), feature=name in model.features, categories=categories.get(name))
            for name in model.inputs
        ),
        target=model.target,
        positive=model.positive,
        threshold=model.settings["serving"]["threshold"],
    )
