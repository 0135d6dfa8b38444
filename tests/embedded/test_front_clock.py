"""Embedded AWS with its clock on: what is scheduled happens."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from embedded.server import EmbeddedAws
from tests.embedded.serving import ROLE, Serving

DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """A server of its own: in that of the other tests, schedules only exist."""
    with EmbeddedAws(tmp_path_factory.mktemp("clock"), clock=True) as server:
        yield server


def soon() -> str:
    return f"at({datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})"


def test_a_schedule_starts_a_state_machine(aws: EmbeddedAws) -> None:
    states = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = states.create_state_machine(name="clock", definition=definition, roleArn=ROLE)["stateMachineArn"]
    target = {"Arn": machine, "RoleArn": ROLE, "Input": json.dumps({"model_name": "m"})}
    aws.client("scheduler").create_schedule(
        Name="clock", ScheduleExpression=soon(), FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )

    def look() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = states.list_executions(stateMachineArn=machine)["executions"]
        return found

    [execution] = Serving.eventually(look)
    described = states.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {"model_name": "m"}


def test_a_scheduled_action_moves_the_bounds_and_the_capacity(aws: EmbeddedAws) -> None:
    serving, scaling, name = Serving(aws), aws.client("application-autoscaling"), "clock-scaled"
    key = {**DIMENSION, "ResourceId": f"endpoint/{name}/variant/primary"}
    with serving.endpoint(name, serving.config(name, serving.variant(serving.model(name, "yes")))):
        scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=3)
        scaling.put_scheduled_action(
            **key, ScheduledActionName="morning", Schedule=soon(), ScalableTargetAction={"MinCapacity": 2}
        )

        def count() -> bool:
            [variant] = serving.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
            return bool(variant["CurrentInstanceCount"] == 2)

        assert serving.eventually(count)
        [target] = scaling.describe_scalable_targets(**DIMENSION)["ScalableTargets"]
        assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 3)
        [activity] = scaling.describe_scaling_activities(**key)["ScalingActivities"]
        assert "morning" in activity["Cause"]
