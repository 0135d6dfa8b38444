"""Application Auto Scaling on embedded AWS: policies that are followed, and schedules that are kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.front.scaling_policies import PolicyNotEvaluated, stepped, tracking
from embedded.front.scheduled_actions import is_due
from embedded.server import EmbeddedAws
from tests.embedded.serving import BUCKET, Serving

DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
ASYNC = {
    "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1},
    "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/scaled"},
}


def key(endpoint: str) -> dict[str, str]:
    return {**DIMENSION, "ResourceId": f"endpoint/{endpoint}/variant/primary"}


def backlog(target: float) -> dict[str, Any]:
    return {
        "TargetValue": target,
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": [{"Name": "EndpointName", "Value": "{endpoint}"}],
            "Statistic": "Average",
        },
    }


@pytest.mark.parametrize(
    ("current", "value", "wanted"),
    [(1, 5, 1), (1, 5.1, 2), (2, 12, 5), (4, 4.6, 4), (4, 4, 4), (4, 1, 1), (1, 0, 0), (0, 50, 0)],
)
def test_tracking_keeps_its_target(current: int, value: float, wanted: int) -> None:
    policy = {"ResourceId": "endpoint/e/variant/v", "TargetTrackingScalingPolicyConfiguration": backlog(5)}
    assert tracking(policy).wants(current, value) == wanted


def test_tracking_may_be_kept_from_scaling_in() -> None:
    config = {**backlog(5), "DisableScaleIn": True}
    policy = {"ResourceId": "endpoint/e/variant/v", "TargetTrackingScalingPolicyConfiguration": config}
    assert tracking(policy).wants(4, 0) == 4
    assert tracking(policy).wants(4, 10) == 8


def test_a_metric_that_is_not_measured_is_not_tracked() -> None:
    config = {"TargetValue": 1, "PredefinedMetricSpecification": {"PredefinedMetricType": "Other"}}
    with pytest.raises(PolicyNotEvaluated, match="Other"):
        tracking({"ResourceId": "endpoint/e/variant/v", "TargetTrackingScalingPolicyConfiguration": config})


STEPS = [
    {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1},
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
]


@pytest.mark.parametrize(
    ("kind", "breach", "wanted"),
    [
        ("ChangeInCapacity", 0, 5),
        ("ChangeInCapacity", 9.9, 5),
        ("ChangeInCapacity", 10, 7),
        ("ChangeInCapacity", -1, 3),
        ("ExactCapacity", 10, 3),
        ("PercentChangeInCapacity", 10, 5),
        ("PercentChangeInCapacity", -1, 3),
    ],
)
def test_a_step_is_chosen_by_the_breach(kind: str, breach: float, wanted: int) -> None:
    assert stepped({"AdjustmentType": kind, "StepAdjustments": STEPS}, 4, breach) == wanted


def test_no_step_for_a_breach_changes_nothing() -> None:
    assert stepped({"AdjustmentType": "ChangeInCapacity", "StepAdjustments": STEPS[1:2]}, 4, 11) == 4


NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("schedule", "zone", "due"),
    [
        ("at(2026-11-30T12:00:00)", "UTC", True),
        ("at(2026-11-30T13:00:00)", "Europe/Berlin", True),
        ("at(2026-11-30T12:00:00)", "Europe/Berlin", False),
        ("cron(0 12 ? * MON-FRI *)", "UTC", True),
        ("cron(0 13 ? * MON *)", "Europe/Berlin", True),
        ("cron(0 12 ? * SUN *)", "UTC", False),
        ("rate(1 hour)", "UTC", True),
        ("rate(7 hours)", "UTC", False),
    ],
)
def test_an_action_is_due_once(schedule: str, zone: str, due: bool) -> None:
    record = {"Schedule": schedule, "Timezone": zone, "CreationTime": NOON - timedelta(hours=24)}
    step = timedelta(milliseconds=500)
    assert is_due(record, NOON - step, NOON) is due
    assert not is_due(record, NOON, NOON + step)
    assert not is_due({**record, "EndTime": NOON - step}, NOON - step, NOON)
    assert not is_due({**record, "StartTime": NOON + step}, NOON - step, NOON)


@pytest.mark.parametrize("start", [1, 0])
def test_a_queue_brings_instances_and_an_empty_one_takes_them(aws: EmbeddedAws, serving: Serving, start: int) -> None:
    name, scaling = f"scaling-queue-{start}", aws.client("application-autoscaling")
    config = serving.config(name, serving.variant(serving.model(name, "yes")), AsyncInferenceConfig=ASYNC)
    with serving.endpoint(name, config):
        scaling.register_scalable_target(**key(name), MinCapacity=0, MaxCapacity=2)
        tracked = backlog(2)
        tracked["CustomizedMetricSpecification"]["Dimensions"][0]["Value"] = name
        scaling.put_scaling_policy(
            **key(name),
            PolicyName="queue",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={**tracked, "ScaleInCooldown": 60, "ScaleOutCooldown": 60},
        )
        from_zero = scaling.put_scaling_policy(
            **key(name),
            PolicyName="from-zero",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "Cooldown": 60,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        )["PolicyARN"]
        aws.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/SageMaker",
            MetricName="HasBacklogWithoutCapacity",
            Dimensions=[{"Name": "EndpointName", "Value": name}],
            Statistic="Maximum",
            Period=10,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="missing",
            AlarmActions=[from_zero],
        )

        def count() -> int:
            [variant] = serving.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
            return int(variant["CurrentInstanceCount"])

        def submit(body: str) -> str:
            given = serving.put(f"{name}/in.csv", body)
            answer = serving.runtime.invoke_endpoint_async(EndpointName=name, InputLocation=given)
            return str(answer["OutputLocation"])

        if start:
            answers = [submit("slow 0.5") for _ in range(12)]
            assert serving.eventually(lambda: count() == 2)
        else:
            assert serving.eventually(lambda: count() == 0)
            answers = [submit("1")]
            assert serving.eventually(lambda: count() == 1)
        for answer in answers:
            assert serving.eventually(lambda uri=answer: serving.read(uri)) == "yes"
        assert serving.eventually(lambda: count() == 0)
        activities = scaling.describe_scaling_activities(**key(name))["ScalingActivities"]
        assert len(activities) >= 2
        assert {activity["StatusCode"] for activity in activities} == {"Successful"}
        scaling.deregister_scalable_target(**key(name))


def test_callers_bring_instances_and_a_suspended_target_stays(aws: EmbeddedAws, serving: Serving) -> None:
    name, scaling = "scaling-callers", aws.client("application-autoscaling")
    with serving.endpoint(name, serving.config(name, serving.variant(serving.model(name, "yes")))):
        suspended = {"DynamicScalingOutSuspended": True}
        scaling.register_scalable_target(**key(name), MinCapacity=1, MaxCapacity=3, SuspendedState=suspended)
        scaling.put_scaling_policy(
            **key(name),
            PolicyName="callers",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 60.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
        )

        def count() -> int:
            serving.ask(name)
            [variant] = serving.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
            return int(variant["CurrentInstanceCount"])

        with pytest.raises(AssertionError, match="nothing was found"):
            serving.eventually(lambda: count() > 1, within=2)
        scaling.register_scalable_target(**key(name), SuspendedState={"DynamicScalingOutSuspended": False})
        assert serving.eventually(lambda: count() == 3)
        scaling.deregister_scalable_target(**key(name))


def test_a_templates_scheduled_actions_come_and_go(aws: EmbeddedAws, serving: Serving, stacks: Any) -> None:
    name, scaling = "scaling-scheduled", aws.client("application-autoscaling")
    night = {
        "ScheduledActionName": "night",
        "Schedule": "cron(0 20 ? * MON-FRI *)",
        "Timezone": "Europe/Berlin",
        "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 1},
    }
    with serving.endpoint(name, serving.config(name, serving.variant(serving.model(name, "yes")))):

        def deploy(*actions: dict[str, Any]) -> list[dict[str, Any]]:
            properties = {**key(name), "MinCapacity": 1, "MaxCapacity": 2, "ScheduledActions": list(actions)}
            target = {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": properties}
            assert stacks.deploy(name, {"Target": target}) in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stacks.why(name)
            found: list[dict[str, Any]] = scaling.describe_scheduled_actions(**key(name))["ScheduledActions"]
            return found

        [known] = deploy(night)
        assert known["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 1}
        [known] = deploy({**night, "ScheduledActionName": "evening"})
        assert known["ScheduledActionName"] == "evening"
        stacks.delete(name)
        assert not scaling.describe_scheduled_actions(**DIMENSION)["ScheduledActions"]
        with pytest.raises(ClientError, match="ObjectNotFoundException"):
            scaling.put_scheduled_action(**key(name), **night)
