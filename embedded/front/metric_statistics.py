"""Statistics of exactly one metric: namespace, name and dimensions alike, in stretches of time."""

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

Point = Mapping[str, Any]


def points_of(metric: Mapping[str, Any], start: float, length: float) -> list[Point]:
    """The metric's data points in a stretch of time that begins at `start` and lasts `length` seconds."""
    wanted = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    return [
        point
        for (namespace, name, _), stored in cloudwatch._metrics.items()
        if namespace == metric.get("Namespace") and name == metric.get("MetricName")
        for point in stored
        if point.get("Dimensions", {}) == wanted and start <= point["Timestamp"] < start + length
    ]


def statistic(points: Sequence[Point], stat: str) -> float | None:
    """A statistic of data points; None where there are none."""
    if not points:
        return None
    found = cloudwatch._stat_value(cloudwatch._calc_stats(points), stat, points)
    return None if found is None else float(found)
