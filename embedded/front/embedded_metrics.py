"""Metrics that functions and containers print into their logs, in CloudWatch's embedded metric format.

ministack keeps logs and does not read them; CloudWatch does as they arrive, whoever sends them.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

LOGGER = logging.getLogger(__name__)


def install() -> None:
    """Read every log event as it is stored."""
    append = cloudwatch_logs._append_log_events

    def append_and_read(stream: Any, events: list[dict[str, Any]]) -> None:
        append(stream, events)
        publish([event["message"] for event in events])

    cloudwatch_logs._append_log_events = append_and_read


def publish(lines: list[str]) -> None:
    """Store the metrics of a log's lines, and evaluate the alarms on them."""
    found = False
    for line in lines:
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
