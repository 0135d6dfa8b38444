"""What SageMaker Clarify's online explainer must know of a version: its inputs, and a record to compare with."""

from typing import Any

import pandas as pd

from pipeline_scripts.model import Model

NUMERICAL, CATEGORICAL = "numerical", "categorical"
"""Clarify's feature types. Text that is not called categorical would be taken for language and cut into words."""


def explained_inputs(model: Model) -> dict[str, list[str]]:
    """The inputs' names and Clarify's type of each, in the order in which a CSV request carries them."""
    kinds = [model.kind(name) for name in model.inputs]
    return {
        "names": list(model.inputs),
        "types": [NUMERICAL if kind in ("integer", "double") else CATEGORICAL for kind in kinds],
    }


def baseline_record(rows: pd.DataFrame, model: Model) -> str:
    """A line of CSV without header, nobody's: of each input the value in the middle, or the one that is most frequent.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-feature-attribute-shap-baselines.html
    """
    typical = {name: [_typical(rows[name].dropna(), model.kind(name))] for name in model.inputs}
    return pd.DataFrame(typical).to_csv(index=False, header=False, lineterminator="\n")


def _typical(values: "pd.Series[Any]", kind: str) -> Any:
    if values.empty:
        return None  # filled as in training
    if kind in ("integer", "double"):
        return values.quantile(0.5, interpolation="lower")  # a value that there is: a whole number stays one
    return values.mode().iloc[0]
