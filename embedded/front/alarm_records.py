"""Alarms over metric math and anomalies: ministack's API drops their queries, and its CloudFormation refuses them."""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

Record = dict[str, Any]
_OWN_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions")


def install(*, evaluate: Callable[[Record], None]) -> None:
    """Keep the queries of an alarm on its record, where `evaluate` and DescribeAlarms find them."""
    _keep_queries_of_requests(evaluate)
    _keep_queries_of_templates()


def _keep_queries_of_requests(evaluate: Callable[[Record], None]) -> None:
    put = cloudwatch._put_metric_alarm

    def put_with_queries(params: Any, content: Record, is_cbor: bool, is_json: bool = False) -> Any:
        answer = put(params, content, is_cbor, is_json)
        queries = content.get("Metrics") if content else None
        if queries and answer[0] == 200:
            alarm = cloudwatch._alarms[content["AlarmName"]]
            _move_to(alarm, queries, band=content.get("ThresholdMetricId"))
            evaluate(alarm)
        return answer

    cloudwatch._put_metric_alarm = put_with_queries


def _keep_queries_of_templates() -> None:
    record_of = provisioners._cw_metric_alarm_record

    def record_with_queries(name: str, properties: Mapping[str, Any]) -> Record:
        queries = properties.get("Metrics")
        if not queries:
            record: Record = record_of(name, properties)
            return record
        stand_in = {"MetricName": "expression", "Namespace": "expression"}
        band = properties.get("ThresholdMetricId")
        if band is not None:
            stand_in["Threshold"] = "0"
        record = record_of(name, {**properties, **stand_in, "Metrics": None})
        _move_to(record, [_typed(query) for query in queries], band=band)
        return record

    provisioners._cw_metric_alarm_record = record_with_queries


def _move_to(alarm: Record, queries: list[Record], *, band: str | None) -> None:
    """Let an alarm watch queries; `band` names the one that is its threshold, where it has no fixed one."""
    for name in _OWN_METRIC:
        alarm.pop(name, None)
    alarm["Metrics"] = queries
    if band is not None:
        del alarm["Threshold"]
        alarm["ThresholdMetricId"] = band


def _typed(query: Mapping[str, Any]) -> Record:
    """A query with the numbers and truths that a template may carry as text."""
    found = dict(query)
    if "MetricStat" in query:
        found["MetricStat"] = {**query["MetricStat"], "Period": int(query["MetricStat"]["Period"])}
    if "ReturnData" in query:
        found["ReturnData"] = str(query["ReturnData"]).lower() == "true"
    return found
