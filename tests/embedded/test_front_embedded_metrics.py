"""Lines of CloudWatch's embedded metric format become metrics, whoever sends the log: here, an endpoint's container."""

import json
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from embedded.server import EmbeddedAws

GROUP = "/aws/sagemaker/Endpoints/front-metrics"


@pytest.fixture(scope="module")
def logs(aws: EmbeddedAws) -> Any:
    client = aws.client("logs")
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="primary/1")
    return client


def send(logs: Any, *messages: str) -> None:
    events = [{"timestamp": time.time_ns() // 1_000_000, "message": message} for message in messages]
    logs.put_log_events(logGroupName=GROUP, logStreamName="primary/1", logEvents=events)


def line(endpoint: str, **values: Any) -> str:
    directive = {
        "Namespace": "Baton/Serving",
        "Dimensions": [["EndpointName"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
    }
    about = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, "EndpointName": endpoint, **values})


def total(aws: EmbeddedAws, endpoint: str, metric: str) -> float:
    now = datetime.now(timezone.utc)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace="Baton/Serving",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_lines_of_a_containers_log_become_metrics(aws: EmbeddedAws, logs: Any) -> None:
    send(logs, line("one", Rows=3, RefusedRequests=1), "a line of another kind", line("one", Rows=[4, 5]))
    assert total(aws, "one", "Rows") == 12
    assert total(aws, "one", "RefusedRequests") == 1
    assert total(aws, "another", "Rows") == 0


def test_a_line_that_only_looks_like_metrics_is_kept_as_a_line(aws: EmbeddedAws, logs: Any) -> None:
    send(logs, '{"_aws": broken', line("two", Rows=1))
    assert total(aws, "two", "Rows") == 1
    events = logs.get_log_events(logGroupName=GROUP, logStreamName="primary/1")["events"]
    assert '{"_aws": broken' in [event["message"] for event in events]
