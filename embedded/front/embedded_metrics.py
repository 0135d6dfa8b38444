"""Metrics in logs of functions and containers: CloudWatch's embedded metric format, which ministack does not read."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc

LOGGER = logging.getLogger(__name__)


def install() -> None:
    """Read every function's log as it is written, and every log event that is put."""
    emit = lambda_svc._emit_lambda_logs

    def emit_and_read(func: Any, request_id: Any, log: str, *rest: Any, **named: Any) -> Any:
        publish(log or "")
        return emit(func, request_id, log, *rest, **named)

    lambda_svc._emit_lambda_logs = emit_and_read
    put = cloudwatch_logs._put_log_events

    def put_and_read(data: dict[str, Any]) -> Any:
        answer = put(data)
        if answer[0] == 200:
            publish("\n".join(event.get("message", "") for event in data.get("logEvents", [])))
        return answer

    cloudwatch_logs._put_log_events = put_and_read


def publish(log: str) -> None:
    """Store the metrics of a log's lines, and evaluate the alarms on them."""
    found = False
    for line in log.splitlines():
        record = _record(line)
        if record is not None:
            _store(record)
            found = True
    if found:
        cloudwatch._evaluate_all_alarms()


def _record(line: str) -> dict[str, Any] | None:
    if '"_aws"' not in line:
        return None
    try:
        record = json.loads(line)
    except ValueError:
        LOGGER.warning("a log line looks like embedded metrics and is not JSON: %s", line[:200])
        return None
    return record if isinstance(record, dict) and "CloudWatchMetrics" in record.get("_aws", {}) else None


def _store(record: Mapping[str, Any]) -> None:
    stamp = record["_aws"]["Timestamp"] / 1000
    for directive in record["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(record[name]) for name in names}
            for metric in directive["Metrics"]:
                given = record[metric["Name"]]
                values = given if isinstance(given, list) else [given]
                for value in values:
                    cloudwatch._store_datum(
                        directive["Namespace"],
                        metric["Name"],
                        dimensions,
                        stamp,
                        metric.get("Unit", "None"),
                        float(value),
                        None,
                        None,
                        None,
                    )
