"""How much each feature moves the answers: exact Shapley values, summed from columns to features.

Trees are attributed by XGBoost's own TreeSHAP; of a linear model the values follow from its coefficients and the means
of the training rows, columns taken as independent. They are in log-odds, before calibration, or in the unit of a
regression's target, where they add up: a row's values plus the expected value are its margin. The files say
`kernel_shap`, the only key that readers of Clarify's format know; the method stands beside it. Rows are attributed in
blocks, so that memory does not grow with the traffic of a window beyond the values themselves.
"""

import json
from typing import Any

import numpy as np
import pandas as pd

from pipeline_scripts.analysis.artifact import Artifact
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.serving.estimator import Values

_METHODS = {"xgboost": "tree_shap", "logistic_regression": "linear_shap", "linear_regression": "linear_shap"}
_UNITS = {"binary_classification": "log-odds", "regression": "target"}
_ROWS_AT_ONCE = 50_000
_FARTHEST_SUM = 1e-3  # of the largest margin: 32-bit sums over hundreds of trees; a wrong one is off by orders more


def attributions(artifact: Artifact, rows: pd.DataFrame) -> tuple[Values, float]:
    """A value a row and feature, and the expected value all rows share.

    Raises:
        JobError: The values do not add up to the model's own margins.
    """
    starts = range(0, max(len(rows), 1), _ROWS_AT_ONCE)
    blocks = [_attributed(artifact, rows.iloc[start : start + _ROWS_AT_ONCE]) for start in starts]
    return np.concatenate([values for values, _ in blocks]), blocks[0][1]


def _attributed(artifact: Artifact, rows: pd.DataFrame) -> tuple[Values, float]:
    matrix = artifact.transformer.encode(rows)
    by_column, expected = artifact.estimator.contributions(matrix)
    margins = artifact.estimator.margins(matrix)
    largest = np.abs(margins).max(initial=1.0)
    if np.abs(by_column.sum(axis=1) + expected - margins).max(initial=0.0) > _FARTHEST_SUM * largest:
        raise JobError("the attributions do not add up to the model's answers; the artefact and XGBoost disagree")
    return artifact.transformer.summed(by_column), expected


def explanation(artifact: Artifact, values: Values, expected: float) -> dict[str, Any]:
    """The content of analysis.json: the mean absolute value of every feature."""
    names = [feature.name for feature in artifact.transformer.features]
    means = np.abs(values).mean(axis=0)
    signature = artifact.signature
    return {
        "version": "1.0",
        "method": {"name": _METHODS[signature.algorithm], "unit": _UNITS[signature.problem], "rows": len(values)},
        "explanations": {
            "kernel_shap": {
                "label0": {
                    "global_shap_values": dict(zip(names, means.tolist(), strict=True)),
                    "expected_value": expected,
                }
            }
        },
    }


def ranking_ndcg(baseline: dict[str, float], current: dict[str, float]) -> float:
    """How well the current order of the features keeps the baseline's: 1 when it does, as Clarify defines it.

    The gains are the baseline's attributions; the discount of the place is logarithmic.
    """
    discounts = 1 / np.log2(np.arange(2, len(baseline) + 2))
    order = sorted(baseline, key=lambda name: (-current.get(name, 0.0), name))
    gained = float(np.dot([baseline[name] for name in order], discounts))
    ideal = float(np.dot(sorted(baseline.values(), reverse=True), discounts))
    return gained / ideal if ideal > 0 else 1.0


def global_values(analysis: dict[str, Any]) -> dict[str, float]:
    """The attributions of an analysis.json.

    Raises:
        JobError: It has none.
    """
    try:
        values: dict[str, float] = analysis["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    except (KeyError, TypeError) as error:
        raise JobError(f"the analysis has no global attributions: {json.dumps(analysis)[:80]}") from error
    return values
