"""Do the answers still come true, now that the labels are known?

A metric is a violation when it lies beyond its constraint, and farther from the baseline's value than the bootstrapped
deviations of both explain: a few hundred rows with few positives say little about an AUC.
"""

import math
from argparse import Namespace
from collections.abc import Sequence

from pipeline_scripts.analysis.capture import Capture, labelled, read_labels
from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.analysis.model_quality import quality_deviations, quality_statistics, redrawn_quality
from pipeline_scripts.model import Model
from pipeline_scripts.monitoring.report import Report, WithoutAnswer, require_rows
from pipeline_scripts.monitoring.run import run_monitor

NAMESPACE = "aws/sagemaker/Endpoints/model-metrics"
_DEVIATIONS = 2.58  # one-sided, 0.5 % of false alarms a metric


def main(argv: Sequence[str]) -> int:
    """`--capture --baseline --ground-truth` in; `--output` out."""
    return run_monitor(argv, look, namespace=NAMESPACE, needs=("ground-truth",))


def look(report: Report, capture: Capture, model: Model, paths: Namespace) -> None:
    """Join answers and outcomes and compare their metrics with the constraints."""
    _, outcomes, answers = labelled(capture, read_labels(paths.ground_truth, model))
    report.measure("labelled_rows", float(len(outcomes)))
    require_rows(len(outcomes), model.settings, "rows with a label")
    if len(set(outcomes)) < 2:
        raise WithoutAnswer("all labels of the window are the same, so nothing tells good answers from bad")
    folder = paths.baseline / "model_quality"
    baseline, constraints = read_json(folder / "statistics.json"), read_json(folder / "constraints.json")
    drawn = redrawn_quality(outcomes, answers, model)
    statistics = quality_statistics(outcomes, answers, drawn, model)
    report.files.update({"statistics.json": statistics, "constraints.json": constraints})
    metrics, before = statistics[f"{model.problem}_metrics"], baseline[f"{model.problem}_metrics"]
    spread = quality_deviations(drawn, model)
    for name, content in metrics.items():
        if "value" in content:
            report.measure(name, content["value"])
    for name, constraint in constraints[f"{model.problem}_constraints"].items():
        value, bound, operator = metrics[name]["value"], constraint["threshold"], constraint["comparison_operator"]
        worse = 1 if operator == "GreaterThanThreshold" else -1
        margin = _DEVIATIONS * math.hypot(spread[name], _number(before[name]["standard_deviation"]))
        if worse * (value - bound) > 0 and worse * (value - before[name]["value"]) > margin:
            report.violations.append(
                {
                    "constraint_check_type": operator,
                    "description": f"Metric {name} with {value:.4f} was {operator} {bound:.4f}",
                    "metric_name": name,
                }
            )


def _number(value: float | str | None) -> float:
    """A deviation of the baseline; 0 where it had too few rows to give one."""
    return float(value) if isinstance(value, int | float) else 0.0
