"""Alarms of embedded AWS: evaluated by dimension as CloudWatch does, and told of by an event."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.front.alarm_expressions import ExpressionError, evaluate
from embedded.server import EmbeddedAws


def put(aws: EmbeddedAws, namespace: str, value: float, **dimensions: str) -> None:
    named = [{"Name": name, "Value": given} for name, given in dimensions.items()]
    aws.client("cloudwatch").put_metric_data(
        Namespace=namespace, MetricData=[{"MetricName": "Violations", "Value": value, "Dimensions": named}]
    )


def alarm(aws: EmbeddedAws, name: str, **settings: Any) -> None:
    defaults = {
        "MetricName": "Violations",
        "Namespace": name,
        "Statistic": "Maximum",
        "Period": 3600,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    aws.client("cloudwatch").put_metric_alarm(AlarmName=name, **{**defaults, **settings})


def state(aws: EmbeddedAws, name: str) -> str:
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found[0]["StateValue"])


def test_an_alarm_hears_its_own_dimensions_only(aws: EmbeddedAws) -> None:
    mine = [{"Name": "Monitor", "Value": "bias"}]
    alarm(aws, "front-own", Dimensions=mine)
    put(aws, "front-own", 3, Monitor="data_quality")
    assert state(aws, "front-own") == "OK"
    put(aws, "front-own", 1, Monitor="bias")
    assert state(aws, "front-own") == "ALARM"


def test_an_alarm_without_data_says_so_unless_told_otherwise(aws: EmbeddedAws) -> None:
    alarm(aws, "front-silent", TreatMissingData="missing")
    alarm(aws, "front-breaching", TreatMissingData="breaching")
    put(aws, "front-unrelated", 1)
    assert state(aws, "front-silent") == "INSUFFICIENT_DATA"
    assert state(aws, "front-breaching") == "ALARM"


@pytest.mark.parametrize("origin", ["request", "template"])
def test_an_alarm_over_metric_math_is_evaluated(aws: EmbeddedAws, stacks: Any, origin: str) -> None:
    name = f"front-math-{origin}"
    metric = {"Namespace": name, "MetricName": "Violations"}
    stat = {"Metric": metric, "Period": 3600, "Stat": "Sum"}
    queries = [
        {"Id": "found", "MetricStat": stat, "ReturnData": False},
        {"Id": "rate", "Expression": "IF(found > 1, found * 10, 0)", "ReturnData": True},
    ]
    settings = {
        "AlarmName": name,
        "Metrics": queries,
        "EvaluationPeriods": 1,
        "Threshold": 30,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    if origin == "request":
        aws.client("cloudwatch").put_metric_alarm(**settings)
    else:
        declared = {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": settings}}
        assert stacks.deploy(name, declared) == "CREATE_COMPLETE", stacks.why(name)
    put(aws, name, 2)
    assert state(aws, name) == "OK"
    put(aws, name, 2)
    assert state(aws, name) == "ALARM"
    described = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert [query["Id"] for query in described["Metrics"]] == ["found", "rate"]


def test_a_change_of_state_is_an_event(aws: EmbeddedAws, eventually: Callable[..., Any]) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="front-alarm")["QueueUrl"]
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": ["front-alarm"], "state": {"value": ["ALARM"]}},
    }
    events.put_rule(Name="front-alarm", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{aws.region}:000000000000:front-alarm"
    events.put_targets(Rule="front-alarm", Targets=[{"Id": "queue", "Arn": arn}])
    alarm(aws, "front-alarm", Dimensions=[{"Name": "Model", "Value": "churn"}], AlarmDescription="drift")
    put(aws, "front-alarm", 5, Model="churn")

    def arrived() -> list[Any]:
        messages = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    [event] = eventually(arrived)
    assert event["resources"] == [f"arn:aws:cloudwatch:{aws.region}:000000000000:alarm:front-alarm"]
    assert event["detail"]["previousState"]["value"] == "OK"
    configuration = event["detail"]["configuration"]
    assert configuration["description"] == "drift"
    metric = configuration["metrics"][0]["metricStat"]
    assert metric["metric"]["dimensions"] == {"Model": "churn"}
    assert metric["stat"] == "Maximum"


@pytest.mark.parametrize(
    ("expression", "values", "result"),
    [
        ("a + b / 2", {"a": 1.0, "b": 4.0}, 3.0),
        ("100 * a / b", {"a": 1.0, "b": 0.0}, None),
        ("FILL(a, 7)", {"a": None}, 7.0),
        ("a + 1", {"a": None}, None),
        ("SUM([a, b])", {"a": 1.0, "b": None}, 1.0),
        ("MAX(a, b)", {"a": 1.0, "b": 2.0}, 2.0),
        ("a > 1 AND b < 1", {"a": 2.0, "b": 0.0}, 1.0),
        ("IF(a, b)", {"a": 0.0, "b": 1.0}, None),
    ],
)
def test_metric_math(expression: str, values: dict[str, float | None], result: float | None) -> None:
    assert evaluate(expression, values) == result


@pytest.mark.parametrize("expression", ["ANOMALY_DETECTION_BAND(a)", "a.b", "__import__('os')", "a +"])
def test_metric_math_that_is_not_evaluated_says_so(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, {"a": 1.0})


def banded(name: str) -> dict[str, Any]:
    """An alarm outside two standard deviations, as the CDK writes it."""
    metric = {"Namespace": name, "MetricName": "Violations"}
    return {
        "AlarmName": name,
        "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
        "EvaluationPeriods": 1,
        "Metrics": [
            {"Id": "expr_1", "Expression": "ANOMALY_DETECTION_BAND(m0, 2)", "ReturnData": True},
            {"Id": "m0", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}, "ReturnData": True},
        ],
        "ThresholdMetricId": "expr_1",
        "TreatMissingData": "notBreaching",
    }


@pytest.mark.parametrize("origin", ["request", "template"])
@pytest.mark.parametrize("strange", [20.0, -20.0])
def test_an_anomaly_alarm_knows_its_band_once_it_has_learned(
    aws: EmbeddedAws, stacks: Any, origin: str, strange: float
) -> None:
    name, cloudwatch = f"front-band-{origin}-{'high' if strange > 0 else 'low'}", aws.client("cloudwatch")
    if origin == "request":
        cloudwatch.put_metric_alarm(**banded(name))
    else:
        declared = {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": banded(name)}}
        assert stacks.deploy(name, declared) == "CREATE_COMPLETE", stacks.why(name)
    [described] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert described["ThresholdMetricId"] == "expr_1"
    assert "Threshold" not in described
    put(aws, name, strange)
    assert state(aws, name) == "INSUFFICIENT_DATA"  # nothing was learned yet: nothing is strange

    minutes = datetime.now(UTC) - timedelta(minutes=3)
    usual = [
        {"MetricName": "Violations", "Value": 5 + number % 3, "Timestamp": minutes - timedelta(minutes=number)}
        for number in range(20)
    ]
    cloudwatch.put_metric_data(Namespace=name, MetricData=usual)
    assert state(aws, name) == "ALARM"
    for _ in range(60):  # until this minute's average is usual
        put(aws, name, 6 - strange / 60)
    assert state(aws, name) == "OK"


def test_a_template_declares_an_anomaly_detector(aws: EmbeddedAws, stacks: Any) -> None:
    watched = {"Namespace": "front-detector", "MetricName": "Violations", "Stat": "Sum"}
    declared = {"Detector": {"Type": "AWS::CloudWatch::AnomalyDetector", "Properties": watched}}
    assert stacks.deploy("front-detector", declared) == "CREATE_COMPLETE", stacks.why("front-detector")
    found = aws.client("cloudwatch").describe_anomaly_detectors(Namespace="front-detector")["AnomalyDetectors"]
    assert [detector["Stat"] for detector in found] == ["Sum"]
    stacks.delete("front-detector")
    assert not aws.client("cloudwatch").describe_anomaly_detectors(Namespace="front-detector")["AnomalyDetectors"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("cloudwatch").delete_anomaly_detector(**watched)
