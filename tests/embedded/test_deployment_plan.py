"""In which steps a DeploymentConfig moves traffic."""

from typing import Any

import pytest

from embedded.sagemaker.deployment_plan import Step, alarms_of, steps


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def count(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(kind: str, **sizes: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 300, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 120}}


def rolling(size: dict[str, Any]) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 60}}


@pytest.mark.parametrize(
    ("deployment", "shares"),
    [
        (blue_green("ALL_AT_ONCE"), [1.0]),
        (blue_green("CANARY", CanarySize=percent(10)), [0.1, 1.0]),
        (blue_green("CANARY", CanarySize=count(1)), [0.25, 1.0]),
        (blue_green("LINEAR", LinearStepSize=percent(25)), [0.25, 0.5, 0.75, 1.0]),
        (blue_green("LINEAR", LinearStepSize=percent(30)), [0.3, 0.6, 0.9, 1.0]),
        (blue_green("LINEAR", LinearStepSize=percent(10)), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
    ],
)
def test_a_blue_green_deployment_ends_with_all_traffic_and_keeps_the_old_fleet_a_while(
    deployment: dict[str, Any], shares: list[float]
) -> None:
    *moves, last = steps(deployment, instances=4, variants=1)
    assert [move.share for move in moves] == pytest.approx(shares)
    assert {move.wait_s for move in moves} == {300.0}
    assert last == Step(share=1.0, wait_s=120.0)


@pytest.mark.parametrize(
    ("size", "shares"), [(percent(50), [0.5, 1.0]), (count(1), [0.25, 0.5, 0.75, 1.0]), (count(9), [1.0])]
)
def test_a_rolling_deployment_moves_batch_by_batch(size: dict[str, Any], shares: list[float]) -> None:
    moves = steps(rolling(size), instances=4, variants=1)
    assert [move.share for move in moves] == pytest.approx(shares)
    assert {move.wait_s for move in moves} == {60.0}


@pytest.mark.parametrize("deployment", [None, {}, {"AutoRollbackConfiguration": {"Alarms": []}}])
def test_without_a_policy_all_traffic_moves_unwatched(deployment: dict[str, Any] | None) -> None:
    assert steps(deployment, instances=4, variants=1) == [Step(share=1.0, wait_s=0.0)]


def test_a_rolling_deployment_of_several_variants_falls_back_to_all_at_once() -> None:
    assert steps(rolling(count(1)), instances=4, variants=2) == [Step(share=1.0, wait_s=0.0)]


def test_the_alarms_of_a_deployment_are_its_roll_backs() -> None:
    deployment = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]}}
    assert alarms_of(deployment) == ["a", "b"]
    assert alarms_of(None) == []
