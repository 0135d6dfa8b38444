"""Do the answers still come true, now that the labels are known?

A metric is a violation when it fell below its constraint, and farther below the baseline's value than the bootstrapped
deviations of both explain: a few hundred rows with few positives say little about an AUC.
"""

import math
from argparse import Namespace
from collections.abc import Sequence

from pipeline_scripts.analysis.capture import Capture, labelled, read_labels
from pipeline_scripts.analysis.classification import deviations
from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.analysis.model_quality import quality_statistics
from pipeline_scripts.model import Model
from pipeline_scripts.monitoring.report import Report, WithoutAnswer, require_rows
from pipeline_scripts.monitoring.run import run_monitor

NAMESPACE = "aws/sagemaker/Endpoints/model-metrics"
_DEVIATIONS = 2.58  # one-sided, 0.5 % of false alarms a metric


def main(argv: Sequence[str]) -> int:
    """`--capture --baseline --ground-truth` in; `--output` out."""
    return run_monitor(argv, look, namespace=NAMESPACE, needs=("ground-truth",))


def look(report: Report, capture: Capture, model: Model, paths: Namespace) -> None:
    """Join answers and labels and compare their metrics with the constraints."""
    _, labels, scores = labelled(capture, read_labels(paths.ground_truth, model))
    report.measure("labelled_rows", float(len(labels)))
    require_rows(len(labels), model.settings, "rows with a label")
    if len(set(labels)) < 2:
        raise WithoutAnswer("all labels of the window are the same, so no ranking can be judged")
    folder = paths.baseline / "model_quality"
    baseline, constraints = read_json(folder / "statistics.json"), read_json(folder / "constraints.json")
    threshold = float(model.settings["serving"]["threshold"])
    statistics = quality_statistics(labels, scores, threshold)
    report.files.update({"statistics.json": statistics, "constraints.json": constraints})
    metrics = statistics["binary_classification_metrics"]
    before = baseline["binary_classification_metrics"]
    spread = deviations(labels, scores, threshold)
    for name, content in metrics.items():
        if "value" in content:
            report.measure(name, content["value"])
    for name, constraint in constraints["binary_classification_constraints"].items():
        value, bound = metrics[name]["value"], constraint["threshold"]
        margin = _DEVIATIONS * math.hypot(spread[name], _number(before[name]["standard_deviation"]))
        if value < bound and before[name]["value"] - value > margin:
            report.violations.append(
                {
                    "constraint_check_type": "LessThanThreshold",
                    "description": f"Metric {name} with {value:.4f} was LessThanThreshold {bound:.4f}",
                    "metric_name": name,
                }
            )


def _number(value: float | str | None) -> float:
    """A deviation of the baseline; 0 where it had too few rows to give one."""
    return float(value) if isinstance(value, int | float) else 0.0
