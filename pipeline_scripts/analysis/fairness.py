"""Bias metrics by smclarify, AWS's own implementation, in Clarify's analysis.json format.

Each group (`groups.py`) is compared with everybody else. The conditional metrics (CDDL, CDDPL) compare within the
values of `fairness.condition_on`, as Clarify does with its `group_variable`. The flip test (FT) looks for the nearest
neighbours by every column but the group's own, as smclarify itself leaves the facet out: by the facet's encoding,
nobody outside would be near. A metric that cannot be computed, as of a division by zero, is null with the reason beside
it, and so is every metric of a group that is withheld.

Only `smclarify.bias` is imported: `smclarify.util` wants s3fs, which the container lacks.
"""

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from smclarify.bias import report as clarify
from smclarify.bias.metrics import POSTTRAINING_METRICS, PRETRAINING_METRICS
from smclarify.bias.metrics.common import metric_description

from pipeline_scripts.analysis.frames import Labels
from pipeline_scripts.analysis.groups import Subgroup, subgroups, withheld
from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.model import Model
from pipeline_scripts.serving.transformer import Transformer

Stage = Literal["pre_training", "post_training"]
Counts = tuple[int, int, int, int]
GROUPS_VERSION = "1.1"
_FEWEST_ROWS_OF_1_0 = 30  # what the first format told of smaller groups is not judged by
_POSITIVE = [1]

# smclarify logs a traceback for every metric that a group does not allow; the report says so instead.
logging.getLogger(clarify.__name__).setLevel(logging.CRITICAL)


@dataclass(frozen=True, kw_only=True)
class Group:
    """How many rows of a group, and of everybody else, lie in each cell of the confusion matrix: TN, FP, FN, TP.

    Both are None of a group that is withheld; `rows` then says so.
    """

    facet: str
    value: str
    inside: Counts | None
    outside: Counts | None
    rows: str | None = None

    @property
    def small(self) -> bool:
        """Is the group too small to judge by, or withheld for one that is?"""
        return self.inside is None or self.outside is None

    @property
    def sides(self) -> tuple[Counts, Counts]:
        """The counts outside and inside.

        Raises:
            ValueError: The group is withheld.
        """
        if self.inside is None or self.outside is None:
            raise ValueError(f"{self.facet}={self.value} is withheld")
        return self.outside, self.inside


def bias_section(
    stage: Stage,
    *,
    rows: pd.DataFrame,
    transformer: Transformer | None,
    labels: Labels,
    predicted: Labels | None,
    model: Model,
) -> dict[str, Any]:
    """The `…_bias_metrics` section of analysis.json: every metric of the stage, for every group.

    Args:
        stage: Of the labels, or of the answers.
        rows: Raw values, with the facets and what is conditioned on.
        transformer: Encodes the rows for the flip test, which is null without it.
        labels: 1 where the outcome is the favourable one.
        predicted: The same of the answers; None before training.
        model: Names the groups.
    """
    hidden = withheld(rows, model)
    condition = model.settings["fairness"]["condition_on"]
    measures = _Measures(
        stage=stage,
        encoded=_encoded(rows, transformer),
        labels=labels,
        predicted=predicted,
        condition=None if condition is None else rows[condition].astype(str).reset_index(drop=True),
    )
    facets: dict[str, list[dict[str, Any]]] = {}
    for group in subgroups(model):
        metrics = _withheld_metrics(stage, model) if group in hidden else measures.of(group, rows)
        facets.setdefault(group.facet, []).append({"value_or_threshold": group.value, "metrics": metrics})
    return {"label": model.target, "label_value_or_threshold": model.label_value_or_threshold, "facets": facets}


def _encoded(rows: pd.DataFrame, transformer: Transformer | None) -> pd.DataFrame:
    """A column each of the model's matrix, named by its feature."""
    if transformer is None:
        return pd.DataFrame(index=range(len(rows)))
    owners = [transformer.features[owner].name for owner in transformer.owners]
    return pd.DataFrame(transformer.encode(rows), columns=owners)


@dataclass(frozen=True, kw_only=True)
class _Measures:
    """What smclarify needs to know beside the group."""

    stage: Stage
    encoded: pd.DataFrame
    labels: Labels
    predicted: Labels | None
    condition: "pd.Series[Any] | None"

    def of(self, group: Subgroup, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Every metric of the group against everybody else."""
        frame = self.encoded.loc[:, ~self.encoded.columns.isin(group.columns)]
        frame.columns = pd.Index([f"column {place}" for place in range(frame.shape[1])])
        sides = np.where(group.among(rows), "inside", "outside")
        try:
            [report] = clarify.bias_report(
                frame.assign(group=pd.Categorical(sides, categories=["inside", "outside"])),
                clarify.FacetColumn("group", sensitive_values=["inside"]),
                _label_column("label", self.labels),
                clarify.StageType(self.stage),
                None if self.predicted is None else _label_column("predicted", self.predicted),
                group_variable=self.condition,
            )
        except ValueError as error:  # smclarify compares nothing where nobody is predicted positive
            return [_metric({**metric, "value": None, "error": str(error)}) for metric in _described(self.stage)]
        return [_metric(metric) for metric in report["metrics"]]


def _withheld_metrics(stage: Stage, model: Model) -> list[dict[str, Any]]:
    smallest = model.settings["fairness"]["smallest_group"]
    error = (
        f"withheld: the group, everybody else, or a group whose size would follow from this one, has fewer than "
        f"{smallest} rows, too few to judge by"
    )
    return [{**metric, "value": None, "error": error} for metric in _described(stage)]


def _described(stage: Stage) -> list[dict[str, Any]]:
    functions = POSTTRAINING_METRICS if stage == "post_training" else PRETRAINING_METRICS
    return [
        {"name": function.__name__, "description": metric_description(function)}
        for function in sorted(functions, key=lambda function: function.__name__)
    ]


def _label_column(name: str, values: Labels) -> Any:
    # a fixed pair of categories: a column where nobody is positive is still a column of labels
    return clarify.LabelColumn(name, pd.Series(pd.Categorical(values, categories=[0, 1])), list(_POSITIVE))


def _metric(metric: dict[str, Any]) -> dict[str, Any]:
    value = metric["value"]
    finite = isinstance(value, int | float) and math.isfinite(value)
    entry = {"name": metric["name"], "description": metric["description"], "value": value if finite else None}
    if not finite:
        entry["error"] = metric.get("error") or f"the value is {value}: a denominator is zero"
    return entry


def count_groups(rows: pd.DataFrame, labels: Labels, predicted: Labels, model: Model) -> list[Group]:
    """The confusion matrices behind the metrics: what their certainty is computed from."""
    cells = labels.astype(int) * 2 + predicted
    hidden, smallest = withheld(rows, model), model.settings["fairness"]["smallest_group"]
    groups = []
    for group in subgroups(model):
        named = Group(facet=group.facet, value=group.value, inside=None, outside=None)
        inside = group.among(rows)
        groups.append(
            replace(named, rows=f"< {smallest}, or withheld for a group that is")
            if group in hidden
            else replace(named, inside=_cells(cells[inside]), outside=_cells(cells[~inside]))
        )
    return groups


def read_groups(folder: Path) -> dict[tuple[str, str], Group]:
    """The counts behind a bias report, by facet and value; none when another backend computed the report."""
    path = folder / "groups.json"
    if not path.is_file():
        return {}
    content = read_json(path)
    groups = [Group(**group) for group in content["groups"]]
    if content["version"] == "1.0":
        groups = [_unless_small(group) for group in groups]
    return {(group.facet, group.value): group for group in groups}


def _unless_small(group: Group) -> Group:
    """The first format told of every group, however small."""
    few = min(map(sum, group.sides)) < _FEWEST_ROWS_OF_1_0
    return replace(group, inside=None, outside=None) if few else group


def _cells(cells: "np.ndarray[Any, np.dtype[np.int64]]") -> Counts:
    true_negative, false_positive, false_negative, true_positive = np.bincount(cells, minlength=4).tolist()
    return true_negative, false_positive, false_negative, true_positive
