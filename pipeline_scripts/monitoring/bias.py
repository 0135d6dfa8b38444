"""Are the answers still as fair as when the version was approved?

Every difference between a group and everybody else is compared with the same difference in the baseline. It is a
violation when it changed by more than `monitoring.max_bias_change` and chance does not explain the change: both
confusion matrices, the baseline's and the window's, are redrawn from what their counts leave open (a Dirichlet
distribution with Jeffreys' prior), and the interval of the change must exclude none. So a group of few rows has a
wide interval instead of a false alarm. Only differences of rates are compared, because an absolute bound says nothing
of a ratio.
"""

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.capture import Capture, labelled, read_labels
from pipeline_scripts.analysis.fairness import Group, bias_section, count_groups, read_groups
from pipeline_scripts.analysis.frames import favourable, predicted
from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.model import Model
from pipeline_scripts.monitoring.report import Report, require_rows
from pipeline_scripts.monitoring.run import run_monitor

NAMESPACE = "aws/sagemaker/Endpoints/bias-metrics"
Cells = npt.NDArray[np.float64]
Key = tuple[str, str, str]
_DRAWS = 100_000  # enough for tails of a few in a hundred thousand
_SEED = 20260101
_FALSE_ALARMS = 0.001  # a run, shared by its comparisons; one odd hold-out would repeat its alarm in every window


# A group's rate, from its shares of true negatives, false positives, false negatives and true positives, and the sign
# of the difference as smclarify takes it: +1 is everybody else minus the group.
_RATES: dict[str, tuple[int, Callable[[Cells], Cells]]] = {
    "DPPL": (1, lambda cells: cells[:, 1] + cells[:, 3]),
    "AD": (1, lambda cells: cells[:, 0] + cells[:, 3]),
    "RD": (1, lambda cells: cells[:, 3] / (cells[:, 2] + cells[:, 3])),
    "SD": (-1, lambda cells: cells[:, 0] / (cells[:, 0] + cells[:, 1])),
    "DAR": (1, lambda cells: cells[:, 3] / (cells[:, 1] + cells[:, 3])),
    "DRR": (-1, lambda cells: cells[:, 0] / (cells[:, 0] + cells[:, 2])),
}


def main(argv: Sequence[str]) -> int:
    """`--capture --baseline --ground-truth` in, `--model` if the flip test is wanted; `--output` out."""
    return run_monitor(argv, look, namespace=NAMESPACE, needs=("ground-truth",))


def look(report: Report, capture: Capture, model: Model, paths: Namespace) -> None:
    """Measure the window's bias and compare it with the baseline's."""
    rows, outcomes, answers = labelled(capture, read_labels(paths.ground_truth, model))
    labels, foretold = favourable(outcomes, model), predicted(answers, model)
    report.measure("labelled_rows", float(len(labels)))
    require_rows(len(labels), model.settings, "rows with a label")
    baseline = read_json(paths.baseline / "bias" / "analysis.json")
    frame = facets_as_text(capture.typed(model)[0].iloc[rows].reset_index(drop=True), model)
    transformer = load_artifact(paths.model).transformer if paths.model else None
    section = bias_section(
        "post_training", rows=frame, transformer=transformer, labels=labels, predicted=foretold, model=model
    )
    report.files["analysis.json"] = {"version": "1.0", "post_training_bias_metrics": section}
    report.files["constraints.json"] = baseline
    _publish(report, section, model)

    before = _values(baseline["post_training_bias_metrics"])
    now = _values(section)
    groups = {(group.facet, group.value): group for group in count_groups(frame, labels, foretold, model)}
    known = read_groups(paths.baseline / "bias")
    judged = {key for key, group in groups.items() if not group.small and not (key in known and known[key].small)}
    compared = [key for key in before if key in now and key[2] in _RATES and key[:2] in judged]
    skipped = sum(group.small for group in groups.values())
    if skipped:
        report.notes.append(f"{skipped} groups were too small to judge by.")
    tolerated = model.settings["monitoring"]["max_bias_change"]
    for key in compared:
        change = now[key] - before[key]
        if abs(change) > tolerated and not chance_explains(
            key[2], groups[key[:2]], known.get(key[:2]), before[key], comparisons=len(compared)
        ):
            report.violations.append(_violation(key, before[key], now[key], tolerated))


def facets_as_text(frame: pd.DataFrame, model: Model) -> pd.DataFrame:
    """The frame with whole-number facets as whole numbers again, so that they read as in the model's YAML."""
    whole = [name for name in model.facets if model.kind(name) in ("integer", "boolean")]
    return frame.astype({name: "Int64" for name in whole})


def _values(section: dict[str, Any]) -> dict[Key, float]:
    """The finite metrics by facet, value and name."""
    return {
        (facet, report["value_or_threshold"], metric["name"]): metric["value"]
        for facet, reports in section["facets"].items()
        for report in reports
        for metric in report["metrics"]
        if isinstance(metric["value"], int | float)
    }


def chance_explains(metric: str, now: Group, before: Group | None, value: float, *, comparisons: int) -> bool:
    """Does the interval of the change include none?

    Args:
        metric: Which difference of rates changed.
        now: The counts of the window.
        before: The counts of the baseline; without them its `value` is taken as exact.
        value: The baseline's metric.
        comparisons: How many changes the run judges.
    """
    generator = np.random.default_rng(_SEED)
    current = _draws(metric, now, generator)
    earlier = np.full(_DRAWS, value) if before is None else _draws(metric, before, generator)
    tail = _FALSE_ALARMS / comparisons / 2
    low, high = np.quantile(current - earlier, [tail, 1 - tail])
    return bool(low <= 0 <= high)


def _draws(metric: str, group: Group, generator: np.random.Generator) -> Cells:
    sign, rate = _RATES[metric]
    outside, inside = (rate(generator.dirichlet(np.asarray(cells) + 0.5, size=_DRAWS)) for cells in group.sides)
    return sign * (outside - inside)


def _publish(report: Report, section: dict[str, Any], model: Model) -> None:
    for (facet, group, name), value in _values(section).items():
        dimensions = {
            "BiasStage": "Post-Training",
            "Label": model.target,
            "LabelValue": model.label_value_or_threshold,
            "Facet": facet,
            "FacetValue": group,
        }
        report.measure(f"bias_metric_{name}", value, dimensions)


def _violation(key: Key, before: float, now: float, tolerated: float) -> dict[str, str]:
    facet, group, name = key
    return {
        "facet": facet,
        "facet_value": group,
        "metric_name": name,
        "constraint_check_type": "bias_drift_check",
        "description": f"{name} is {now:.3f}, {abs(now - before):.3f} from the baseline's {before:.3f}; "
        f"{tolerated} is tolerated, and chance does not explain more",
    }
