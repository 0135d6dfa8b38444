"""The proof where answers come later: a canary in S3, and the answer that an endpoint leaves there."""

import pytest

from pipeline_scripts.functions.reconcile_ledger import LeaseLost
from pipeline_scripts.functions.reconcile_prove_asynchronous import PATIENCE_SECONDS
from tests.runtime.reconcile_kinds import LaterWorld
from tests.runtime.reconcile_memory import MemoryKms, MemoryObjects, MemoryTable
from tests.runtime.reconcile_world import ENDPOINT


@pytest.fixture
def later() -> LaterWorld:
    return LaterWorld(dynamodb=MemoryTable(), s3=MemoryObjects(), kms=MemoryKms(), key_arn=MemoryKms.ARN)


def test_a_version_is_proven_once_its_answer_has_come(later: LaterWorld) -> None:
    later.register(1)
    states = later.run()
    assert states[-1] == "Done"
    assert states.count("Unanswered") == 3, "it looks every 15 seconds, and the answer takes 40"
    assert later.ledger.current()["reason"] == "the canary was answered 0.110000 as evaluated"
    assert len(later.waiting) == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("wrong answers", "the canary was answered 0.900000, evaluation says 0.120000"),
        ("model error", "the model failed on the canary: no module named inference"),
        ("silent rollback", "the endpoint went back to config-1: SageMaker rolled the deployment back"),
    ],
)
def test_a_version_that_does_not_answer_rightly_is_quarantined(later: LaterWorld, behaviour: str, reason: str) -> None:
    later.register(1)
    later.run("first")
    bad = later.register(2, behaviour=behaviour)
    later.run("second")
    assert later.serving == 1
    assert later.ledger.quarantined() == {bad.arn}
    assert [line["reason"] for line in later.ledger.history() if line["kind"] == "quarantined"] == [reason]


def test_a_version_that_never_answers_is_quarantined_when_patience_ends(later: LaterWorld) -> None:
    later.silent = True
    bad = later.register(1)
    later.before_step = lambda step: setattr(later, "now", later.now + 300 * (step == "prove"))
    later.run()
    [line] = [line for line in later.ledger.history() if line["kind"] == "quarantined"]
    assert line["reason"] == f"the canary was not answered within {PATIENCE_SECONDS // 60} minutes"
    assert later.ledger.quarantined() == {bad.arn}


def test_a_run_that_waits_keeps_the_endpoints_lock(later: LaterWorld) -> None:
    later.register(1)
    one = later.start("one")
    while next(one) != "Unanswered":
        pass
    later.now += 800
    next(one), next(one)
    later.now += 800
    assert later.run("two") == ["Begin", "Choose", "Chosen", "Done"], "its lease was renewed while it waited"
    assert list(one)[-1] == "Done"


def test_a_run_that_lost_the_lock_while_it_waited_does_not_go_on(later: LaterWorld) -> None:
    later.register(1)
    one = later.start("one")
    while next(one) != "Unanswered":
        pass
    later.now += 2_000
    later.run("two")
    event = {"execution": "one"}
    with pytest.raises(LeaseLost):
        later.proved(event)
    assert list(one)[-1] == "Failed"


def test_an_endpoint_that_is_lost_while_its_answer_is_awaited_blames_no_version(later: LaterWorld) -> None:
    later.register(1)
    first = later.start("first")
    while next(first) != "Unanswered":
        pass
    later.endpoint_status = "Failed"
    assert list(first)[-1] == "Failed"
    assert f"{ENDPOINT} is Failed, and leaves the canary unanswered" in later.messages[-1]
    assert later.ledger.quarantined() == set()
    later.run("sweep")
    assert (later.serving, later.endpoint_status) == (1, "InService")
