"""Alarm evaluation as CloudWatch does it: by dimension, by period, M out of N, with missing data treated.

ministack looks at all points of a metric's name at once, whatever their dimensions, and raises no event.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch

from embedded.front import alarm_records
from embedded.front.alarm_expressions import ExpressionError, evaluate
from embedded.front.anomaly_band import band
from embedded.front.events import EventSink
from embedded.front.metric_statistics import points_of, statistic

LOGGER = logging.getLogger(__name__)
Alarm = dict[str, Any]
Value = float | None
_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, bound: value >= bound,
    "GreaterThanThreshold": lambda value, bound: value > bound,
    "LessThanThreshold": lambda value, bound: value < bound,
    "LessThanOrEqualToThreshold": lambda value, bound: value <= bound,
}


class AlarmWatch:
    """Evaluates metric alarms and announces each change of an alarm's state."""

    def __init__(self, *, events: EventSink) -> None:
        self._events = events

    def install(self) -> None:
        """Take over from ministack, which calls both functions by their module's names."""
        dispatch = cloudwatch._dispatch_alarm_actions

        def announce(alarm: Alarm, old: str, new: str, reason: str) -> None:
            dispatch(alarm, old, new, reason)
            self._announce(alarm, old, reason)

        cloudwatch._evaluate_alarm = evaluate_alarm
        alarm_records.install(evaluate=evaluate_alarm)
        cloudwatch._dispatch_alarm_actions = announce

    def _announce(self, alarm: Alarm, old: str, reason: str) -> None:
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
        state = {"reason": reason, "timestamp": stamp, "value": alarm["StateValue"]}
        if alarm.get("StateReasonData"):
            state["reasonData"] = alarm["StateReasonData"]
        self._events(
            source="aws.cloudwatch",
            detail_type="CloudWatch Alarm State Change",
            detail={
                "alarmName": alarm["AlarmName"],
                "state": state,
                "previousState": {"timestamp": stamp, "value": old},
                "configuration": _configuration(alarm),
            },
            resources=[alarm["AlarmArn"]],
        )


def evaluate_alarm(alarm: Alarm) -> None:
    """Move an alarm to the state that its metric's latest periods give it."""
    values = _values(alarm)
    state = _state(alarm, values)
    old = alarm["StateValue"]
    if state is None or state == old:
        return
    known = [value for value in values if value is not None]
    threshold = alarm.get("Threshold", alarm.get("ThresholdMetricId"))
    reason = f"{len(known)} of {len(values)} datapoints {known} against threshold {threshold}"
    alarm["StateValue"] = state
    alarm["StateReason"] = f"Threshold Crossed: {reason}"
    alarm["StateReasonData"] = json.dumps({"version": "1.0", "recentDatapoints": known})
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], old, state, alarm["StateReason"])
    cloudwatch._dispatch_alarm_actions(alarm, old, state, alarm["StateReason"])
    cloudwatch._evaluate_parent_alarms(alarm)


def _state(alarm: Alarm, values: list[Value]) -> str | None:
    """The state that the periods' values give; None keeps the one it has."""
    breach = _breach(alarm)
    if breach is None:
        return "INSUFFICIENT_DATA"
    treatment, needed = alarm.get("TreatMissingData") or "missing", _needed(alarm)
    found = [None if value is None else breach(value) for value in values]
    if all(breached is None for breached in found):
        missing = {"missing": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK", "ignore": None}
        return missing[treatment]
    filled = {"breaching": True}.get(treatment, False)
    breached = sum(filled if answer is None else answer for answer in found)
    return "ALARM" if breached >= needed else "OK"


def _breach(alarm: Alarm) -> Callable[[float], bool] | None:
    """What tells whether a value breaches an alarm's threshold or band; None while it has no band yet."""
    comparison = alarm["ComparisonOperator"]
    if "ThresholdMetricId" not in alarm:
        bound = float(alarm["Threshold"])
        return lambda value: _BREACHES[comparison](value, bound)
    period = _period(alarm)
    begin = _end(period) - period * int(alarm.get("EvaluationPeriods", 1))
    edges = band(alarm, before=begin, period=period)
    if edges is None:
        return None
    low, high = edges
    return lambda value: (value < low and "Lower" in comparison) or (value > high and "Upper" in comparison)


def _needed(alarm: Alarm) -> int:
    return int(alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods", 1))


def _values(alarm: Alarm) -> list[Value]:
    """The alarm's metric in each of its evaluation periods, the latest last; None where it has no data.

    A period that has only just begun counts with what it has, and one more is looked back upon, so that
    an alarm answers at once to a metric whose period is an hour.
    """
    count = int(alarm.get("EvaluationPeriods", 1))
    period = _period(alarm)
    end = _end(period)
    windows = [(end - period * (count - index), period) for index in range(count)]
    values = [value_of(alarm, start, length) for start, length in windows]
    if values[-1] is None:
        earlier = value_of(alarm, windows[0][0] - period, period)
        values = [earlier, *values[:-1]]
    return values


def _end(period: int) -> int:
    """When the period that is running ends."""
    return math.floor(time.time() / period) * period + period


def _period(alarm: Alarm) -> int:
    periods = [item["MetricStat"]["Period"] for item in alarm.get("Metrics") or [] if "MetricStat" in item]
    return int(max(periods)) if periods else int(alarm.get("Period") or 60)


def latest(alarm: Alarm) -> Value:
    """The last value that an alarm's metric has within its evaluation periods."""
    return next((value for value in reversed(_values(alarm)) if value is not None), None)


def value_of(alarm: Mapping[str, Any], start: float, length: int) -> Value:
    """The metric of an alarm, or of anything that names a metric or queries as one does, in one stretch of time."""
    edge = alarm.get("ThresholdMetricId")
    queries = [query for query in alarm.get("Metrics") or [] if query["Id"] != edge]
    if not queries:
        stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
        return statistic(points_of(alarm, start, length), stat)
    known: dict[str, Value] = {}
    for query in queries:
        if "MetricStat" in query:
            metric = query["MetricStat"]
            known[query["Id"]] = statistic(points_of(metric["Metric"], start, length), metric["Stat"])
    result: Value = next(iter(known.values()), None)
    for query in queries:
        if "Expression" in query:
            try:
                known[query["Id"]] = evaluate(query["Expression"], known)
            except ExpressionError as error:
                LOGGER.warning("alarm %s: %s", alarm["AlarmName"], error)
                return None
    for query in queries:
        if _returns(query):
            result = known[query["Id"]]
    return result


def _returns(query: Mapping[str, Any]) -> bool:
    return str(query.get("ReturnData", True)).lower() == "true"


def _configuration(alarm: Alarm) -> dict[str, Any]:
    """The alarm's metrics as the event carries them."""
    if "AlarmRule" in alarm:
        return {"alarmRule": alarm["AlarmRule"]}
    metrics: list[dict[str, Any]] = []
    for query in alarm.get("Metrics") or [_own_query(alarm)]:
        entry = {"id": query["Id"], "returnData": _returns(query)}
        if "Expression" in query:
            entry["expression"] = query["Expression"]
        else:
            metric = query["MetricStat"]["Metric"]
            dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
            named = {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions}
            stat = query["MetricStat"]
            entry["metricStat"] = {"metric": named, "period": stat["Period"], "stat": stat["Stat"]}
        metrics.append(entry)
    return {"description": alarm.get("AlarmDescription", ""), "metrics": metrics}


def _own_query(alarm: Alarm) -> dict[str, Any]:
    metric = {key: alarm.get(key) for key in ("Namespace", "MetricName", "Dimensions")}
    stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    return {
        "Id": "m1",
        "MetricStat": {"Metric": metric, "Period": alarm.get("Period"), "Stat": stat},
    }
