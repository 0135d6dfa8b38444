"""Statistics of exactly one metric: namespace, name and dimensions alike, in stretches of time."""

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

Point = Mapping[str, Any]


def points_of(metric: Mapping[str, Any], start: float, length: float) -> list[Point]:
    """The metric's data points in a stretch of time that begins at `start` and lasts `length` seconds."""
    named = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    series = (metric.get("Namespace"), metric.get("MetricName"), cloudwatch._dims_key(named))
    return [point for point in cloudwatch._metrics.get(series, ()) if start <= point["Timestamp"] < start + length]


def statistic(points: Sequence[Point], stat: str) -> float | None:
    """A statistic of data points; None where there are none."""
    if not points:
        return None
    found = cloudwatch._stat_value(cloudwatch._calc_stats(points), stat, points)
    return None if found is None else float(found)
