"""Deployments of embedded AWS: traffic shifted step by step, watched, given back, and refused."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from tests.embedded.serving import Serving

HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}


def blue_green(kind: str, *, wait: int, **sizes: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60}}


@contextmanager
def callers(serving: Serving, name: str) -> Iterator[list[str]]:
    """What callers get who never stop asking."""
    answers: list[str] = []
    enough = threading.Event()

    def call() -> None:
        while not enough.is_set():
            try:
                answers.append(serving.ask(name))
            except ClientError as error:
                answers.append(f"failed: {error}")

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        enough.set()
        for thread in threads:
            thread.join(timeout=30)


def two(serving: Serving, name: str, **second: Any) -> tuple[str, str]:
    """Two configurations, the first answering `old` and the second `new`."""
    old = serving.config(f"{name}-old", serving.variant(serving.model(f"{name}-old", "old")))
    model = serving.model(f"{name}-new", "new", **second)
    return old, serving.config(f"{name}-new", serving.variant(model))


@pytest.mark.parametrize(
    ("name", "deployment"),
    [
        ("shifting-canary", blue_green("CANARY", wait=1200, CanarySize=HALF)),
        ("shifting-linear", blue_green("LINEAR", wait=900, LinearStepSize=HALF)),
        (
            "shifting-rolling",
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": HALF,
                    "WaitIntervalInSeconds": 900,
                    "MaximumExecutionTimeoutInSeconds": 3600,
                }
            },
        ),
    ],
)
def test_a_share_of_the_requests_moves_first_and_none_is_lost(
    serving: Serving, name: str, deployment: dict[str, Any]
) -> None:
    old, new = two(serving, name)
    with serving.endpoint(name, old), callers(serving, name) as answers:
        serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new, DeploymentConfig=deployment)

        def baking() -> Any:
            summary = serving.sagemaker.describe_endpoint(EndpointName=name).get("PendingDeploymentSummary", {})
            variants = summary.get("ProductionVariants", [{}])
            return summary if variants[0].get("VariantStatus", [{}])[0].get("Status") == "Baking" else None

        assert serving.eventually(baking)["EndpointConfigName"] == new
        during = len(answers)
        serving.eventually(lambda: {"old", "new"} <= set(answers[during:]), within=3)
        settled = serving.settled(name)
        assert settled["EndpointConfigName"] == new
        assert "PendingDeploymentSummary" not in settled
        after = len(answers) + 4  # what was under way when the deployment ended may have been the old fleet's
        serving.eventually(lambda: len(answers) > after + 10)
        assert set(answers[after:]) == {"new"}
        assert set(answers) == {"old", "new"}


def test_all_at_once_moves_every_request(serving: Serving) -> None:
    name = "shifting-at-once"
    old, new = two(serving, name)
    with serving.endpoint(name, old):
        serving.sagemaker.update_endpoint(
            EndpointName=name, EndpointConfigName=new, DeploymentConfig=blue_green("ALL_AT_ONCE", wait=600)
        )
        serving.eventually(lambda: serving.ask(name) == "new")
        assert {serving.ask(name) for _ in range(10)} == {"new"}
        serving.settled(name)


def rolled_back(aws: EmbeddedAws, serving: Serving, name: str, **settings: Any) -> dict[str, Any]:
    """Begin a deployment whose alarm rings while it bakes; gives the endpoint as it settles."""
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Shifting",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    deployment = {
        **blue_green("CANARY", wait=3600, CanarySize=HALF),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name}]},
    }
    old, new = two(serving, name)
    with serving.endpoint(name, old, **settings), callers(serving, name) as answers:
        serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new, DeploymentConfig=deployment)
        serving.eventually(lambda: "new" in answers)
        cloudwatch.put_metric_data(Namespace="Shifting", MetricData=[{"MetricName": name, "Value": 1}])
        settled = serving.settled(name)
        after = len(answers) + 4
        serving.eventually(lambda: len(answers) > after + 10)
        assert set(answers[after:]) == {"old"}
        assert set(answers) == {"old", "new"}
        assert settled["EndpointConfigName"] == old
        assert "ALARM state" in settled["FailureReason"]
    return settled


def test_an_alarm_during_the_bake_gives_all_requests_back(aws: EmbeddedAws, serving: Serving) -> None:
    assert rolled_back(aws, serving, "shifting-alarmed")["EndpointStatus"] == "InService"


def test_a_tag_lets_a_roll_back_fail(aws: EmbeddedAws, serving: Serving) -> None:
    fault = [{"Key": "embedded-aws:fault", "Value": "UpdateRollbackFailed"}]
    assert rolled_back(aws, serving, "shifting-fault", Tags=fault)["EndpointStatus"] == "UpdateRollbackFailed"


def test_a_container_that_does_not_start_costs_no_request(serving: Serving) -> None:
    name = "shifting-broken"
    old, new = two(serving, name, loading="raise RuntimeError('cannot load')")
    with serving.endpoint(name, old), callers(serving, name) as answers:
        serving.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=new,
            DeploymentConfig=blue_green("CANARY", wait=600, CanarySize=HALF),
        )
        settled = serving.settled(name)
        assert "cannot load" in settled["FailureReason"]
    counted = Counter(answers)
    assert set(counted) == {"old"}
    assert counted["old"] > 20


def test_properties_that_are_retained_outlive_an_update(serving: Serving) -> None:
    name = "shifting-retained"
    models = serving.model(f"{name}-a", "a"), serving.model(f"{name}-b", "b")
    variants = [serving.variant(model, model[-1]) for model in models]
    first, second = (serving.config(f"{name}-{n}", *variants) for n in ("first", "second"))
    wanted = [{"VariantName": "a", "DesiredWeight": 0.0, "DesiredInstanceCount": 3}]
    with serving.endpoint(name, first):
        serving.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)
        serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=second, RetainAllVariantProperties=True)
        kept = {v["VariantName"]: v for v in serving.settled(name)["ProductionVariants"]}
        assert (kept["a"]["CurrentInstanceCount"], kept["a"]["CurrentWeight"]) == (3, 0.0)
        assert {serving.ask(name) for _ in range(10)} == {"b"}

        serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=first)
        reset = {v["VariantName"]: v for v in serving.settled(name)["ProductionVariants"]}
        assert (reset["a"]["CurrentInstanceCount"], reset["a"]["CurrentWeight"]) == (1, 1.0)


def test_a_scaled_variant_keeps_its_instance_type(aws: EmbeddedAws, serving: Serving) -> None:
    name, scaling = "shifting-scaled", aws.client("application-autoscaling")
    model = serving.model(name, "yes")
    small = serving.config(f"{name}-small", serving.variant(model))
    large = serving.config(f"{name}-large", serving.variant(model, InstanceType="ml.m5.xlarge"))
    renamed = serving.config(f"{name}-renamed", serving.variant(model, "other"))
    key = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/primary",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    with serving.endpoint(name, small):
        scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=2)
        for config in (large, renamed):
            with pytest.raises(ClientError, match=r'variant\(s\) "primary" must be deregistered'):
                serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
        assert serving.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
        scaling.deregister_scalable_target(**key)
        serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=large)
        assert serving.settled(name)["EndpointConfigName"] == large
