"""Do requests still look like the rows of training?

The checks are Model Monitor's. Where the service compares exact shares, these allow for chance, so that a quiet
window of a few hundred rows stays quiet: see `pipeline_scripts.analysis.distance`.
"""

import math
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from pipeline_scripts.analysis.capture import Capture
from pipeline_scripts.analysis.column_statistics import column_statistics
from pipeline_scripts.analysis.distance import (
    FALSE_ALARMS,
    baseline_points,
    categorical_distance,
    chance,
    numeric_distance,
)
from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.model import Model
from pipeline_scripts.monitoring.report import Report, require_rows
from pipeline_scripts.monitoring.run import run_monitor

NAMESPACE = "/aws/sagemaker/Endpoints/data-metric"


def main(argv: Sequence[str]) -> int:
    """`--capture --baseline` in; `--output` out."""
    return run_monitor(argv, look, namespace=NAMESPACE)


def look(report: Report, capture: Capture, model: Model, paths: Namespace) -> None:
    """Compare the window's inputs with the baseline's."""
    require_rows(len(capture), model.settings, "captured rows")
    folder = paths.baseline / "data_quality"
    baseline, constraints = read_json(folder / "statistics.json"), read_json(folder / "constraints.json")
    frame, faults = capture.typed(model)
    statistics = column_statistics(frame, model)
    statistics["dataset"]["malformed_lines"] = capture.malformed
    report.files.update({"statistics.json": statistics, "constraints.json": constraints})

    config = constraints["monitoring_config"]
    report.violations += _columns(capture, len(frame), config["datatype_check_threshold"])
    present = [name for name in frame.columns if capture.absent[name] < len(frame)]
    described = {feature["name"]: feature for feature in baseline["features"]}
    distances = {name: _distance(described[name], frame[name]) for name in present if name in described}
    comparisons = sum(count for _, count, _ in distances.values())
    for constraint in constraints["features"]:
        name = constraint["name"]
        if name not in distances:
            continue
        values, rows = frame[name].dropna(), len(frame)
        report.measure(f"feature_non_null_{name}", len(values) / rows)
        if constraint["inferred_type"] != "String" and len(values):
            report.measure(f"feature_data_{name}", float(values.mean()))
        report.violations += _types(name, faults[name], rows, constraint, config)
        report.violations += _completeness(name, rows - len(values) - faults[name], rows, described[name], constraint)
        report.violations += _domain(name, values, constraint, config)
        distance, _, size = distances[name]
        if distance is not None:
            report.measure(f"feature_baseline_drift_{name}", distance)
            floor = chance(size, len(values), comparisons=comparisons)
            report.violations += _drift(name, distance, floor, constraint, config)


def _violation(feature: str, check: str, description: str) -> dict[str, str]:
    return {"feature_name": feature, "constraint_check_type": check, "description": description}


def _columns(capture: Capture, rows: int, tolerated: float) -> Iterator[dict[str, str]]:
    """Columns that too many requests leave out, or bring besides."""
    for name, count in capture.absent.items():
        if count / rows > tolerated:
            yield _violation(name, "missing_column_check", f"The column is missing in {count / rows:.1%} of the rows.")
    for name, count in capture.extra.items():
        if count / rows > tolerated:
            description = f"The column is not in the baseline and present in {count / rows:.1%} of the rows."
            yield _violation(name, "extra_column_check", description)


def _distance(feature: dict[str, Any], column: "pd.Series[Any]") -> tuple[float | None, int, float]:
    """Baseline to now: the distance, how many comparisons it is, and the rows of the baseline."""
    details = feature.get("string_statistics") or feature["numerical_statistics"]
    size, values = details["common"]["num_present"], column.dropna()
    if not size or not len(values):
        return None, 0, size
    if "string_statistics" in feature:
        buckets = details["distribution"]["categorical"]["buckets"]
        before = {bucket["value"]: bucket["count"] for bucket in buckets}
        now = Counter(values)
        return categorical_distance(before, now), len({*before, *now}), size
    points = baseline_points(details["distribution"])
    sketched = bool(details["distribution"]["kll"].get("sketch", {}).get("data"))
    distance = numeric_distance(points, values.to_numpy(dtype=np.float64), at_values_only=not sketched)
    return distance, 1, size


def _types(
    name: str, faults: int, rows: int, constraint: dict[str, Any], config: dict[str, Any]
) -> Iterator[dict[str, str]]:
    if faults / rows > config["datatype_check_threshold"]:
        description = (
            f"Data type match requirement is not met. Expected {constraint['inferred_type']} in at least "
            f"{1 - config['datatype_check_threshold']:.1%} of the rows, observed in {1 - faults / rows:.1%}."
        )
        yield _violation(name, "data_type_check", description)


def _completeness(
    name: str, missing: int, rows: int, feature: dict[str, Any], constraint: dict[str, Any]
) -> Iterator[dict[str, str]]:
    """More missing values than the baseline's share makes likely; as a sample itself, it counts as one row worse."""
    common = (feature.get("string_statistics") or feature["numerical_statistics"])["common"]
    share = (common["num_missing"] + 1) / (common["num_missing"] + common["num_present"] + 2)
    observed = 1 - missing / rows
    if observed < constraint["completeness"] and binom.sf(missing - 1, rows, share) < FALSE_ALARMS / 10:
        description = f"Completeness {observed:.1%} is below the baseline's {constraint['completeness']:.1%}."
        yield _violation(name, "completeness_check", description)


def _domain(
    name: str, values: "pd.Series[Any]", constraint: dict[str, Any], config: dict[str, Any]
) -> Iterator[dict[str, str]]:
    domains = constraint.get("string_constraints", {}).get("domains")
    if not domains or not len(values):
        return
    unknown = float((~values.isin(domains)).mean())
    if unknown > config["domain_content_threshold"]:
        description = f"{unknown:.1%} of the values are unknown to the baseline."
        yield _violation(name, "categorical_values_check", description)


def _drift(
    name: str, distance: float, floor: float, constraint: dict[str, Any], config: dict[str, Any]
) -> Iterator[dict[str, str]]:
    comparison = config["distribution_constraints"]
    text = constraint["inferred_type"] == "String"
    threshold = comparison["categorical_comparison_threshold" if text else "comparison_threshold"]
    needed = threshold if comparison["comparison_method"] == "Simple" else max(threshold, floor)
    if distance > needed and math.isfinite(distance):
        description = f"Baseline drift distance: {distance:.3f} exceeds threshold: {needed:.3f}"
        yield _violation(name, "baseline_drift_check", description)
