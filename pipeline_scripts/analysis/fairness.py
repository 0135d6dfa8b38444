"""Bias metrics by smclarify, AWS's own implementation, in Clarify's analysis.json format.

Each listed value of a facet is compared with everybody else. Metrics that need a third column to condition on (CDDL,
CDDPL) condition on the first other facet. A metric that cannot be computed, as of an empty group or of a division by
zero, is null with the reason beside it; a group below `FEWEST_ROWS` is reported but marked as too small to judge by.

Only `smclarify.bias` is imported: `smclarify.util` wants s3fs, which the container lacks.
"""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from smclarify.bias import report as clarify
from smclarify.bias.metrics import POSTTRAINING_METRICS, PRETRAINING_METRICS
from smclarify.bias.metrics.common import metric_description

from pipeline_scripts.analysis.frames import Labels
from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.model import Model
from pipeline_scripts.serving.transformer import Matrix

FEWEST_ROWS = 30
_POSITIVE = [1]

# smclarify logs a traceback for every metric that a small group does not allow; the report says so instead.
logging.getLogger(clarify.__name__).setLevel(logging.CRITICAL)


@dataclass(frozen=True, kw_only=True)
class Group:
    """How many rows of a group, and of everybody else, lie in each cell of the confusion matrix: TN, FP, FN, TP."""

    facet: str
    value: str
    inside: tuple[int, int, int, int]
    outside: tuple[int, int, int, int]

    @property
    def small(self) -> bool:
        """Are the group or its complement too small to judge by?"""
        return min(sum(self.inside), sum(self.outside)) < FEWEST_ROWS


def bias_section(
    stage: Literal["pre_training", "post_training"],
    *,
    rows: pd.DataFrame,
    encoded: Matrix,
    labels: Labels,
    predicted: Labels | None,
    model: Model,
) -> dict[str, Any]:
    """The `…_bias_metrics` section of analysis.json: every metric of the stage, for every value of every facet."""
    facets = {
        name: [
            _report(
                stage, rows, encoded, labels, predicted, facet=name, value=str(value), condition=_other(name, model)
            )
            for value in values
        ]
        for name, values in model.facets.items()
    }
    return {"label": model.target, "label_value_or_threshold": model.label_value_or_threshold, "facets": facets}


def _other(facet: str, model: Model) -> str | None:
    return next((name for name in model.facets if name != facet), None)


def _report(
    stage: Literal["pre_training", "post_training"],
    rows: pd.DataFrame,
    encoded: Matrix,
    labels: Labels,
    predicted: Labels | None,
    *,
    facet: str,
    value: str,
    condition: str | None,
) -> dict[str, Any]:
    inside = in_group(rows, facet, value)
    frame = pd.DataFrame(encoded, columns=[f"column {place}" for place in range(encoded.shape[1])])
    frame["group"] = pd.Categorical(np.where(inside, "inside", "outside"), categories=["inside", "outside"])
    try:
        [report] = clarify.bias_report(
            frame,
            clarify.FacetColumn("group", sensitive_values=["inside"]),
            _label_column("label", labels),
            clarify.StageType(stage),
            None if predicted is None else _label_column("predicted", predicted),
            group_variable=None if condition is None else rows[condition].astype(str).reset_index(drop=True),
        )
        metrics = report["metrics"]
    except ValueError as error:  # smclarify compares nothing where nobody is predicted positive
        metrics = [{**metric, "value": None, "error": str(error)} for metric in _described(stage)]
    size = min(int(inside.sum()), int((~inside).sum()))
    note = f"{size} rows in the smaller group are too few to judge by" if size < FEWEST_ROWS else None
    return {"value_or_threshold": value, "metrics": [_metric(metric, note) for metric in metrics]}


def _described(stage: Literal["pre_training", "post_training"]) -> list[dict[str, Any]]:
    functions = POSTTRAINING_METRICS if stage == "post_training" else PRETRAINING_METRICS
    return [
        {"name": function.__name__, "description": metric_description(function)}
        for function in sorted(functions, key=lambda function: function.__name__)
    ]


def _label_column(name: str, values: Labels) -> Any:
    # a fixed pair of categories: a column where nobody is positive is still a column of labels
    return clarify.LabelColumn(name, pd.Series(pd.Categorical(values, categories=[0, 1])), list(_POSITIVE))


def _metric(metric: dict[str, Any], note: str | None) -> dict[str, Any]:
    value = metric["value"]
    finite = isinstance(value, int | float) and math.isfinite(value)
    entry = {"name": metric["name"], "description": metric["description"], "value": value if finite else None}
    error = metric.get("error") or (None if finite else f"the value is {value}: a denominator is zero")
    if error or note:
        entry["error"] = "; ".join(part for part in (error, note) if part)
    return entry


def in_group(rows: pd.DataFrame, facet: str, value: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which rows have this value of the facet."""
    return np.asarray(rows[facet].astype(str) == value, dtype=bool)


def count_groups(rows: pd.DataFrame, labels: Labels, predicted: Labels, model: Model) -> list[Group]:
    """The confusion matrices behind the metrics: what their certainty is computed from."""
    cells = labels.astype(int) * 2 + predicted
    groups = []
    for facet, values in model.facets.items():
        for value in map(str, values):
            inside = in_group(rows, facet, value)
            groups.append(Group(facet=facet, value=value, inside=_cells(cells[inside]), outside=_cells(cells[~inside])))
    return groups


def read_groups(folder: Path) -> dict[tuple[str, str], Group]:
    """The counts behind a bias report, by facet and value; none when another backend computed the report."""
    path = folder / "groups.json"
    groups = [Group(**content) for content in read_json(path)["groups"]] if path.is_file() else []
    return {(group.facet, group.value): group for group in groups}


def _cells(cells: "np.ndarray[Any, np.dtype[np.int64]]") -> tuple[int, int, int, int]:
    true_negative, false_positive, false_negative, true_positive = np.bincount(cells, minlength=4).tolist()
    return true_negative, false_positive, false_negative, true_positive
