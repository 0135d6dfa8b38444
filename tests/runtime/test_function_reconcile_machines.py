"""A proven version moves to other machines in three updates of the stack, and never stays without its scaling."""

import random

import pytest

from pipeline_scripts.functions.reconcile_parameters import next_parameters, wanted_parameters
from tests.runtime.reconcile_world import ENDPOINT, World

LARGE, XLARGE = "ml.m5.large", "ml.m5.xlarge"
NO_CAPACITY, SLOW = "ml.p5.48xlarge", "ml.c4.large"


@pytest.fixture
def served(world: World) -> World:
    world.scale(LARGE)
    world.register(1)
    world.run("first")
    return world


def steps(world: World) -> list[dict[str, str]]:
    """What each update asked for, without what it left as it was."""
    return [
        {p["ParameterKey"]: p["ParameterValue"] for p in update["Parameters"] if "ParameterValue" in p}
        for update in world.updates
    ]


def test_machines_are_changed_in_three_steps_and_the_version_is_proven_on_them(served: World) -> None:
    served.instance_type = XLARGE
    assert served.run("sweep")[-1] == "Done"
    assert steps(served)[1:] == [{"Scaling": "off"}, {"InstanceType": XLARGE}, {"Scaling": "on"}]
    assert (served.config, served.parameters["Scaling"]) == (f"config-1-{XLARGE}", "on")
    assert served.ledger.current()["instance_type"] == XLARGE
    assert served.refused_by_sagemaker == []
    assert served.run("another") == ["Begin", "Choose", "Chosen", "Done"]


def test_a_new_version_comes_first_and_its_machines_at_the_next_look(served: World) -> None:
    served.register(2)
    served.instance_type = XLARGE
    served.run("approval")
    assert (served.serving, served.parameters["InstanceType"]) == (2, LARGE)
    served.run("sweep")
    assert served.config == f"config-2-{XLARGE}"
    assert served.refused_by_sagemaker == []


def test_the_first_version_comes_at_once_on_the_machines_that_are_wanted(world: World) -> None:
    world.scale(LARGE)
    world.instance_type = XLARGE
    world.register(1)
    world.run()
    assert len(world.updates) == 1
    assert world.config == f"config-1-{XLARGE}"


def test_where_nothing_serves_the_version_is_tried_again_on_proven_machines_before_it_is_blamed(
    served: World,
) -> None:
    served.decide(1, "Rejected")
    served.run("rejected")
    served.instance_type = SLOW
    served.register(2)
    served.run("approved")
    assert served.config == f"config-2-{LARGE}"
    assert (served.ledger.unfit(), served.ledger.quarantined()) == ({SLOW: LARGE}, set())


def test_a_version_that_fails_on_proven_machines_too_is_no_witness_against_others(served: World) -> None:
    served.decide(1, "Rejected")
    served.run("rejected")
    served.instance_type = XLARGE
    bad = served.register(2, behaviour="wrong answers")
    served.run("approved")
    assert (served.ledger.unfit(), served.ledger.quarantined()) == ({}, {bad.arn})
    served.register(3)
    served.run("the next")
    assert served.config == f"config-3-{XLARGE}"


def test_a_stack_without_the_parameters_is_never_asked_for_machines(world: World) -> None:
    world.instance_type = XLARGE
    world.register(1)
    world.run("a")
    world.run("b")
    assert [set(step) for step in steps(world)] == [{"ModelPackageArn", "ModelVersion", "EvidenceUri"}]


@pytest.mark.parametrize("machines", [NO_CAPACITY, SLOW])
def test_machines_that_do_not_do_are_left_again_remembered_and_not_the_versions_fault(
    served: World, machines: str
) -> None:
    served.instance_type = machines
    assert served.run("sweep")[-1] == "Done"
    assert (served.config, served.parameters["Scaling"]) == (f"config-1-{LARGE}", "on")
    assert served.parameters["InstanceType"] == LARGE
    assert served.ledger.quarantined() == set()
    assert served.ledger.unfit() == {machines: LARGE}
    assert f"{ENDPOINT}: {machines} was refused for version 1" in served.notices
    updates = len(served.updates)
    assert served.run("another") == ["Begin", "Choose", "Chosen", "Done"]
    assert len(served.updates) == updates
    assert served.refused_by_sagemaker == []


def test_the_next_version_does_not_try_refused_machines_again(served: World) -> None:
    served.instance_type = NO_CAPACITY
    served.run("sweep")
    served.register(2)
    served.run("approval")
    served.run("another sweep")
    assert served.config == f"config-2-{LARGE}"
    assert served.ledger.quarantined() == set()


@pytest.mark.parametrize("steps_done", range(1, 26))
def test_a_change_that_is_interrupted_anywhere_is_finished_by_the_next_run(served: World, steps_done: int) -> None:
    served.instance_type = XLARGE
    interrupted = served.start("dead")
    for _ in zip(range(steps_done), interrupted, strict=False):
        pass
    served.now += 1000
    served.run("next")
    assert (served.config, served.parameters["Scaling"]) == (f"config-1-{XLARGE}", "on")
    assert served.ledger.unfit() == {}
    assert served.refused_by_sagemaker == []


def test_a_rejection_during_the_change_ends_with_the_other_version_and_scaling(served: World) -> None:
    served.register(2)
    served.run("second")
    served.instance_type = XLARGE
    interrupted = served.start("dead")
    while served.parameters["Scaling"] == "on":
        next(interrupted)
    served.now += 1000
    served.decide(2, "Rejected")
    served.run("rejected")
    served.run("sweep")
    assert (served.config, served.parameters["Scaling"]) == (f"config-1-{XLARGE}", "on")


def test_a_version_that_comes_onto_machines_nobody_was_proven_on_is_tried_on_proven_ones_too(served: World) -> None:
    served.instance_type = SLOW
    interrupted = served.start("dead")
    while served.parameters["InstanceType"] != SLOW:
        next(interrupted)
    served.now += 1000
    served.register(2)
    assert served.run("approved")[-1] == "Done"
    assert (served.config, served.parameters["Scaling"]) == (f"config-2-{LARGE}", "on")
    assert (served.ledger.unfit(), served.ledger.quarantined()) == ({SLOW: LARGE}, set())


def test_scaling_that_cannot_be_switched_on_again_is_told_and_no_version_blamed(served: World) -> None:
    served.parameters["Scaling"] = "off"

    def break_update(step: str) -> None:
        if step == "watch":
            served.status, served._ticks = "UPDATE_ROLLBACK_COMPLETE", iter(())

    served.before_step = break_update
    assert served.run("sweep")[-2:] == ["RecordFailure", "Failed"]
    assert served.ledger.quarantined() == set()
    served.before_step = lambda step: None
    served.run("another")
    assert served.parameters["Scaling"] == "on"


def test_steps_always_end_at_what_is_wanted_and_never_change_machines_under_scaling() -> None:
    draw = random.Random(3)
    versions = [None, *({"package_arn": f"arn/{n}", "version": str(n), "evidence_uri": f"s3://e/{n}"} for n in "123")]
    for _ in range(2_000):
        current = {
            **wanted_parameters(draw.choice(versions), instance_type=draw.choice((LARGE, XLARGE))),
            "Scaling": draw.choice(("on", "off")),
            "BootstrapVersion": "21",
        }
        for name in draw.choice(((), ("Scaling",), ("Scaling", "InstanceType"))):
            del current[name]
        wanted = wanted_parameters(draw.choice(versions), instance_type=draw.choice(("", LARGE, XLARGE)))
        lost, taken = draw.random() < 0.2, 0
        while step := next_parameters(current, wanted, lost=lost):
            taken += 1
            assert taken <= 4
            both_serve = "none" not in (current["ModelPackageArn"], {**current, **step}["ModelPackageArn"])
            if both_serve and "InstanceType" in step and "Scaling" in current:
                assert current["Scaling"] == "off" and "Scaling" not in step
            assert not (lost and both_serve), "an endpoint that is lost can only go"
            current, lost = {**current, **step}, False
        if wanted["ModelPackageArn"] == "none":
            assert current["ModelPackageArn"] == "none"
        else:
            assert all(current[name] == value for name, value in wanted.items() if name in current)
