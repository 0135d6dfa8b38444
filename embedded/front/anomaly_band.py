"""The band of an anomaly detection alarm: a simple one, where CloudWatch trains a model.

It is the mean of the periods before the alarm's own, give or take as many standard deviations as the alarm says. It
knows no hour of the day and no trend, and until enough periods have data there is none.
"""

import re
import statistics
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from embedded.front.metric_statistics import Point, points_of, statistic

_EXPRESSION = re.compile(r"^ANOMALY_DETECTION_BAND\(\s*(\w+)\s*(?:,\s*([\d.]+)\s*)?\)$")
_HISTORY = 200  # periods that are looked back upon
_LEARNED = 10  # periods that must have data
_WIDTH = 2.0  # standard deviations, where the expression does not say
Band = tuple[float, float]


def band(alarm: Mapping[str, Any], *, before: float, period: int) -> Band | None:
    """The lower and the upper edge of an alarm's band, or None while too little was measured.

    Args:
        alarm: An alarm with a `ThresholdMetricId`.
        before: When the alarm's own periods begin.
        period: Its period in seconds.
    """
    queries = {query["Id"]: query for query in alarm.get("Metrics") or []}
    match = _EXPRESSION.match(queries.get(alarm["ThresholdMetricId"], {}).get("Expression", ""))
    watched = queries.get(match[1], {}).get("MetricStat") if match else None
    if match is None or watched is None:
        return None
    history: dict[int, list[Point]] = defaultdict(list)
    for point in points_of(watched["Metric"], before - _HISTORY * period, _HISTORY * period):
        history[int(point["Timestamp"] // period)].append(point)
    values = [value for points in history.values() if (value := statistic(points, watched["Stat"])) is not None]
    if len(values) < _LEARNED:
        return None
    middle, spread = statistics.fmean(values), statistics.pstdev(values) * float(match[2] or _WIDTH)
    return middle - spread, middle + spread
