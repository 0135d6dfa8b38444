"""The real handlers, driven by the workflow as it is synthesised, through the ways that approvals and faults can go."""

import itertools
from typing import Any

import pytest

from tests.runtime.reconcile_world import ENDPOINT, EVIDENCE, MODELS, TABLE, World


def test_nothing_happens_while_nothing_is_approved(world: World) -> None:
    world.register(1, status="PendingManualApproval")
    assert world.run() == ["Begin", "Choose", "Chosen", "Done"]
    assert world.updates == []


def test_an_approved_version_is_served_proven_recorded_and_announced(world: World) -> None:
    version = world.register(1)
    assert world.run()[-1] == "Done"
    assert world.serving == 1
    current = world.ledger.current()
    assert (current["package_arn"], current["config_name"]) == (version.arn, "config-1")
    assert current["approver"].endswith("role/officer")
    assert world.notices == [f"{ENDPOINT} serves version 1"]
    for told in (f"evidence_uri: {version.evidence_uri}", "approver: ", "chosen: version 1 is the highest"):
        assert told in world.messages[0]


def test_lineage_is_told_who_approved_and_where_it_serves(world: World) -> None:
    version = world.register(1)
    world.run()
    assert world.lineage.kinds == {
        ("Approval", "ModelPackage"),
        ("Evidence", "Approval"),
        ("ModelPackage", "Deployment"),
        ("Deployment", "Endpoint"),
    }
    assert world.lineage.address("ModelPackage") == version.arn
    assert world.lineage.properties("Approval")["name"].endswith("role/officer")
    assert world.lineage.address("Deployment") == f"{version.arn.split(':model-package/')[0]}:endpoint-config/config-1"
    assert world.lineage.properties("Deployment")["endpoint"] == ENDPOINT


def test_lineage_of_a_version_that_was_refused_knows_no_deployment(world: World) -> None:
    world.register(1, behaviour="broken stack")
    world.run()
    assert world.lineage.kinds == {("Approval", "ModelPackage"), ("Evidence", "Approval")}


def test_the_update_keeps_other_parameters_and_passes_the_scoped_role(world: World) -> None:
    version = world.register(1)
    world.run()
    [request] = world.updates
    assert request["UsePreviousTemplate"] is True
    assert request["RoleARN"] == "role"
    assert {"ParameterKey": "BootstrapVersion", "UsePreviousValue": True} in request["Parameters"]
    assert {"ParameterKey": "EvidenceUri", "ParameterValue": version.evidence_uri} in request["Parameters"]


def test_the_highest_approved_version_wins_whatever_was_approved_last(world: World) -> None:
    world.register(5)
    world.run("a")
    world.register(3)
    world.run("b")
    assert world.serving == 5
    assert len(world.updates) == 1


def test_rejecting_the_serving_version_brings_the_last_good_one_back(world: World) -> None:
    world.register(1)
    world.run("a")
    world.register(2)
    world.run("b")
    world.decide(2, "Rejected")
    world.run("c")
    assert world.serving == 1
    assert world.notices[-1] == f"{ENDPOINT} serves version 1"


def test_the_endpoint_is_withdrawn_when_no_approval_is_left(world: World) -> None:
    world.register(1)
    world.run("a")
    world.decide(1, "Rejected")
    assert "RecordWithdrawn" in world.run("b")
    assert world.serving is None
    assert world.ledger.current() == {}
    assert world.run("c") == ["Begin", "Choose", "Chosen", "Done"]


@pytest.mark.parametrize(
    "behaviour",
    ["broken stack", "silent rollback", "wrong answers", "slow answers", "model error", "failed endpoint"],
)
def test_a_version_that_fails_is_quarantined_and_the_last_good_one_serves(world: World, behaviour: str) -> None:
    world.register(1)
    world.run("a")
    bad = world.register(2, behaviour=behaviour)
    assert world.run("b")[-1] == "Done"
    assert world.serving == 1
    assert world.parameters["ModelVersion"] == "1"
    assert world.ledger.quarantined() == {bad.arn}
    assert f"{ENDPOINT}: version 2 was refused" in world.notices
    updates = len(world.updates)
    world.run("c")
    assert len(world.updates) == updates, "a quarantined version was tried again"


def test_a_silent_rollback_shows_even_when_both_versions_answer_alike(world: World) -> None:
    old = world.register(1)
    world.run("a")
    bad = world.register(2, behaviour="silent rollback")
    bad.probability = old.probability
    world.put_evidence(2, "evaluation/evaluation.json", {"canary": {"request": "1,2", "expected": bad.probability}})
    world.seal(2)
    world.run("b")
    assert world.ledger.quarantined() == {bad.arn}
    assert (world.serving, world.config, world.parameters["ModelVersion"]) == (1, "config-1", "1")


def test_a_stack_that_somebody_moves_before_the_proof_proves_nothing_even_when_both_answer_alike(
    world: World,
) -> None:
    world.register(1, probability=0.25)
    world.run("a")
    world.register(2, probability=0.25)
    before = dict(world.parameters)

    def move_back(step: str) -> None:
        if step == "prove" and world.parameters != before:
            world.parameters, world.serving, world.config = before, 1, "config-1"

    world.before_step = move_back
    assert world.run("b")[-1] == "Failed"
    assert [line["version"] for line in world.ledger.history() if line["kind"] == "served"] == ["1"]
    assert world.ledger.quarantined() == set()
    world.before_step = lambda step: None
    world.run("sweep")
    assert world.serving == 2


def test_a_first_version_that_answers_wrongly_does_not_stay(world: World) -> None:
    world.register(1, behaviour="wrong answers")
    world.run()
    assert world.serving is None


def test_the_reason_of_a_rollback_is_the_first_failure_of_that_update(world: World) -> None:
    world.register(1)
    world.run("a")
    world.register(2, behaviour="broken stack")
    world.run("b")
    entry = world.dynamodb.get_item(TableName=TABLE, Key={"endpoint": {"S": ENDPOINT}, "item": {"S": "quarantine#2"}})
    assert entry["Item"]["reason"]["S"] == "Endpoint: no capacity"


def damage_artifact(world: World) -> None:
    world.s3.put_object(Bucket=MODELS, Key="bank_churn/run-2/output/model.tar.gz", Body=b"swapped")


def lose_artifact(world: World) -> None:
    world.s3.delete_object(Bucket=MODELS, Key="bank_churn/run-2/output/model.tar.gz")


def lose_baseline(world: World) -> None:
    world.s3.delete_object(Bucket=EVIDENCE, Key="bank_churn/run-2/bias/analysis.json")


def fail_gate(world: World) -> None:
    world.put_evidence(2, "gate/gate.json", {"passed": 0})
    world.seal(2)


def judge_another_artifact(world: World) -> None:
    world.put_evidence(2, "gate/gate.json", {"passed": 1, "artifact_sha256": "other"})
    world.seal(2)


def lose_canary(world: World) -> None:
    world.put_evidence(2, "evaluation/evaluation.json", {"auc": 0.9})
    world.seal(2)


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (damage_artifact, "has the hash"),
        (lose_artifact, "does not exist"),
        (lose_baseline, "does not exist"),
        (fail_gate, "did not pass"),
        (judge_another_artifact, "judged another artefact"),
        (lose_canary, "no canary"),
    ],
)
def test_a_version_is_refused_before_anything_moves_when_its_evidence_is_wrong(
    world: World, tamper: Any, reason: str
) -> None:
    world.register(1)
    world.run("a")
    world.register(2)
    tamper(world)
    assert world.run("b")[-1] == "Done"
    assert world.serving == 1
    assert len(world.updates) == 1
    entry = world.dynamodb.get_item(TableName=TABLE, Key={"endpoint": {"S": ENDPOINT}, "item": {"S": "quarantine#2"}})
    assert reason in entry["Item"]["reason"]["S"]


@pytest.mark.parametrize("approver", ["officer/ada@bank.example", "officer/Ada", "ada"])
def test_a_version_that_its_author_approved_is_refused(world: World, approver: str) -> None:
    version = world.register(1)
    world.approver = approver
    world.run()
    assert world.updates == []
    assert world.ledger.quarantined() == {version.arn}


@pytest.mark.parametrize("approver", ["officer/grace@bank.example", "ada-b", "officer/adam"])
def test_a_version_that_somebody_else_approved_serves(world: World, approver: str) -> None:
    world.register(1)
    world.approver = approver
    world.run()
    assert world.serving == 1


def test_a_version_is_tried_again_once_a_person_lifts_its_quarantine(world: World) -> None:
    version = world.register(1, behaviour="broken stack")
    world.run("a")
    version.behaviour = "good"
    world.dynamodb.delete_item(TableName=TABLE, Key={"endpoint": {"S": ENDPOINT}, "item": {"S": "quarantine#1"}})
    world.run("b")
    assert world.serving == 1


def test_duplicate_events_cause_one_update(world: World) -> None:
    world.register(1)
    for number in range(4):
        world.run(f"run-{number}")
    assert len(world.updates) == 1


@pytest.mark.parametrize("switch_at", ["Verify", "Update", "Watch", "Prove", "RecordServed"])
def test_a_run_that_finds_the_lock_taken_leaves_and_the_holder_sees_its_version(world: World, switch_at: str) -> None:
    world.register(1)
    one, two = world.start("one"), world.start("two")
    while next(one) != switch_at:
        pass
    world.register(2)
    assert list(two) == ["Begin", "Choose", "Chosen", "Done"]
    list(one)
    assert world.serving == 2


@pytest.mark.parametrize("switch_at", ["Update", "Watch", "Prove", "RecordServed"])
def test_a_rejection_during_a_deployment_is_followed_by_the_same_run(world: World, switch_at: str) -> None:
    world.register(1)
    world.run("a")
    world.register(2)
    one, two = world.start("one"), world.start("two")
    while next(one) != switch_at:
        pass
    world.decide(2, "Rejected")
    list(two)
    list(one)
    assert world.serving == 1


def test_every_order_of_events_ends_with_the_highest_approved_version(world: World) -> None:
    changes = [(1, "Approved"), (2, "Approved"), (2, "Rejected"), (3, "Approved")]
    for number in (1, 2, 3):
        world.register(number)
    for count, order in enumerate(itertools.permutations(changes)):
        for number in (1, 2, 3):
            world.decide(number, "PendingManualApproval")
        for step, (number, status) in enumerate(order):
            world.decide(number, status)
            if (count >> step) % 3:  # two events of three arrive
                world.run(f"order-{count}-{step}")
        world.run(f"sweep-{count}")
        assert world.serving == 3, order


def test_a_run_waits_for_somebody_elses_update(world: World) -> None:
    world.register(1)
    world.status = "UPDATE_IN_PROGRESS"
    world._ticks = iter([lambda: None, lambda: None, lambda: setattr(world, "status", "UPDATE_COMPLETE")])
    assert "SomebodyIsAtWork" in world.run()
    assert world.serving == 1


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED", "UPDATE_FAILED"])
def test_a_stack_that_needs_a_person_is_told_and_blames_no_version(world: World, status: str) -> None:
    world.register(1)
    world.status = status
    assert world.run()[-2:] == ["RecordFailure", "Failed"]
    assert world.ledger.quarantined() == set()
    assert world.notices == [f"{ENDPOINT}: reconciling failed"]


def test_a_stack_that_somebody_deletes_on_the_way_is_told_and_the_lock_given_back(world: World) -> None:
    world.register(1)
    world.before_step = lambda step: setattr(world, "status", "DELETE_FAILED") if step == "watch" else None
    world._ticks = iter(())
    states = world.run("a")
    assert states[-1] == "Failed"
    assert world.ledger.acquire("another") is not None


def test_a_run_out_of_time_fails_instead_of_waiting_for_ever(world: World) -> None:
    world.register(1)
    world.status = "UPDATE_IN_PROGRESS"
    world.before_step = lambda step: setattr(world, "now", world.now + 700)
    assert world.run()[-2:] == ["RecordFailure", "Failed"]


def test_a_run_that_died_is_taken_over_when_its_lease_ends(world: World) -> None:
    world.register(1)
    dead = world.start("dead")
    while next(dead) != "Watch":
        pass
    assert world.run("early")[-2:] == ["Chosen", "Done"]
    world.now += 1000
    world.run("late")
    assert world.serving == 1
    assert world.ledger.current()["version"] == "1"


def test_a_run_that_lost_its_lease_writes_nothing_more(world: World) -> None:
    world.register(1)
    slow = world.start("slow")
    while next(slow) != "Update":
        pass
    world.now += 1000
    world.register(2)
    world.run("other")
    assert list(slow)[-1] == "Failed"
    assert [update["Parameters"][1]["ParameterValue"] for update in world.updates] == ["2"]
    assert world.serving == 2
    assert world.ledger.current()["version"] == "2"


def test_a_crash_between_the_update_and_the_record_is_made_good_by_the_next_run(world: World) -> None:
    world.register(1)
    dead = world.start("dead")
    while next(dead) != "RecordServed":
        pass
    world.now += 1000
    assert "Prove" in world.run("next")
    assert len(world.updates) == 1
    assert world.ledger.current()["version"] == "1"


def test_an_error_of_a_step_is_recorded_with_its_message(world: World) -> None:
    world.register(1)

    def break_prove(step: str) -> None:
        if step == "prove":
            raise RuntimeError("the network is down")

    world.before_step = break_prove
    assert world.run()[-1] == "Failed"
    items = world.dynamodb.scan(TableName=TABLE)["Items"]
    [failure] = [item for item in items if item["item"]["S"].startswith("history#")]
    assert failure["reason"]["S"] == "RuntimeError: the network is down"
