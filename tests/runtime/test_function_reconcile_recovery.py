"""Stacks that no update leaves, and endpoints that SageMaker gave up: each state is handled or told."""

from typing import Any

import boto3
import pytest

from pipeline_scripts.functions.reconcile_stack import LOST, STRANDED, ServingStack
from pipeline_scripts.functions.reconcile_watch import ENDPOINT_OUTCOMES
from tests.runtime.reconcile_world import ENDPOINT, World

NEED_A_PERSON = {
    "CREATE_FAILED",
    "ROLLBACK_FAILED",
    "ROLLBACK_COMPLETE",
    "DELETE_FAILED",
    "DELETE_COMPLETE",
    "UPDATE_FAILED",
    "IMPORT_ROLLBACK_FAILED",
}


def states_of(service: str, shape: str) -> set[str]:
    model = boto3.client(service, region_name="eu-west-1").meta.service_model
    return set(model.shape_for(shape).enum)


def test_every_stack_state_moves_is_settled_can_be_recovered_or_needs_a_person() -> None:
    kinds: dict[str, list[str]] = {}
    for status in states_of("cloudformation", "StackStatus"):
        stack = ServingStack(name="", status=status, parameters={}, outputs={})
        kinds[status] = [kind for kind in ("moving", "settled", "stranded") if getattr(stack, kind)]
    assert {status for status, found in kinds.items() if not found} == NEED_A_PERSON
    assert all(len(found) == 1 for status, found in kinds.items() if status not in NEED_A_PERSON)


def test_every_endpoint_state_is_known() -> None:
    known = states_of("sagemaker", "EndpointStatus")
    assert known == set(ENDPOINT_OUTCOMES) - {"missing"}
    assert known >= LOST - {"missing"}


@pytest.fixture
def served(world: World) -> World:
    world.register(1)
    world.run("first")
    return world


def test_a_roll_back_that_failed_is_continued_as_the_scoped_role_and_the_version_goes_on(served: World) -> None:
    served.register(2)
    served.status = STRANDED
    states = served.run("second")
    assert states.count("Recover") > 1 and states[-1] == "Done"
    assert served.serving == 2


def test_a_version_whose_roll_back_fails_is_quarantined_and_the_last_good_one_serves(served: World) -> None:
    bad = served.register(2)

    def strand(step: str) -> None:
        if step == "watch" and served.ledger.quarantined() == set() and len(served.updates) == 2:
            served.status, served._ticks = STRANDED, iter(())

    served.before_step = strand
    states = served.run("second")
    assert states.index("Quarantine") < states.index("Recover")
    assert states[-1] == "Done"
    assert served.ledger.quarantined() == {bad.arn}
    assert (served.serving, served.status) == (1, "UPDATE_ROLLBACK_COMPLETE")


@pytest.mark.parametrize(("failures", "end"), [(1, "Done"), (2, "Failed")])
def test_a_roll_back_is_continued_twice_in_a_run_and_then_a_person_is_told(
    served: World, failures: int, end: str
) -> None:
    served.register(2)
    served.status, served.failing_rollbacks = STRANDED, failures
    assert served.run("second")[-1] == end
    assert served.ledger.quarantined() == set()
    if end == "Failed":
        assert served.notices[-1] == f"{ENDPOINT}: reconciling failed"
        assert served.run("sweep")[-1] == "Done", "the next sweep tries again"
    assert served.serving == 2


def test_a_stack_that_needs_a_person_is_told_although_its_version_still_serves(served: World) -> None:
    served.status = "DELETE_FAILED"
    assert served.run("sweep")[-2:] == ["RecordFailure", "Failed"]


def test_a_roll_back_that_does_not_end_in_time_is_told(served: World) -> None:
    served.status = "UPDATE_ROLLBACK_FAILED"
    served.before_step = lambda step: setattr(served, "now", served.now + (4_000 if step == "recover" else 0))
    assert served.run("second")[-2:] == ["RecordFailure", "Failed"]


@pytest.mark.parametrize("status", sorted(LOST))
def test_an_endpoint_that_answers_nobody_is_made_anew_with_the_same_version(served: World, status: str) -> None:
    served.endpoint_status = status
    if status == "missing":
        served.serving = None
    assert served.run("sweep")[-1] == "Done"
    asked = [update["Parameters"][1].get("ParameterValue") for update in served.updates]
    assert asked == ["1", "none", "1"]
    assert (served.serving, served.endpoint_status) == (1, "InService")
    assert served.ledger.quarantined() == set()
    assert served.refused_by_sagemaker == []


def test_an_endpoint_that_is_lost_gives_way_to_the_next_version_in_two_updates(served: World) -> None:
    served.register(2)
    served.endpoint_status = "Failed"
    served.run("second")
    assert served.serving == 2
    assert served.refused_by_sagemaker == []


def test_an_endpoint_that_serves_a_mix_is_told_at_every_sweep_and_left_alone(served: World) -> None:
    served.endpoint_status = "UpdateRollbackFailed"
    for sweep in range(2):
        assert served.run(f"sweep-{sweep}")[-2:] == ["RecordFailure", "Failed"]
    assert len(served.updates) == 1
    assert served.ledger.quarantined() == set()


def test_an_endpoint_that_serves_a_mix_gives_way_to_another_version(served: World) -> None:
    served.register(2)
    served.endpoint_status = "UpdateRollbackFailed"
    served.run("second")
    assert (served.serving, served.endpoint_status) == (2, "InService")


def test_a_configuration_that_somebody_else_gave_the_endpoint_is_found(served: World) -> None:
    served.config = "config-of-somebody-else"
    assert served.run("sweep")[-2:] == ["RecordFailure", "Failed"]
    assert served.ledger.quarantined() == set()


def test_a_deployment_by_a_person_is_proven_like_any_other(served: World) -> None:
    served.scale("ml.m5.large")
    served.config = "config-1-ml.m5.large"
    assert "Prove" in served.run("sweep")
    assert served.ledger.current()["config_name"] == "config-1-ml.m5.large"
    assert served.run("another") == ["Begin", "Choose", "Chosen", "Done"]


def test_a_deployment_of_another_template_that_sagemaker_took_back_is_told(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint runs what was proven, and the stack asks for something else by the same parameters."""
    as_it_is = served.describe_stacks

    def describe(**request: Any) -> dict[str, Any]:
        answer = as_it_is(**request)
        for output in answer["Stacks"][0]["Outputs"]:
            if output["OutputKey"] == "EndpointConfigName":
                output["OutputValue"] = "config-of-another-template"
        return answer

    monkeypatch.setattr(served, "describe_stacks", describe)
    for sweep in ("first", "second"):
        assert served.run(sweep)[-1] == "Failed"
        assert "SageMaker rolled the deployment back" in served.messages[-1]
    assert served.ledger.quarantined() == set()
