"""The proof where answers come later: a canary in S3, and the answer that an endpoint leaves there."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from pipeline_scripts.functions.reconcile_ledger import LeaseLost
from pipeline_scripts.functions.reconcile_prove_asynchronous import PATIENCE_SECONDS, prove_asynchronously
from tests.runtime.reconcile_memory import MemoryKms, MemoryObjects, MemoryTable
from tests.runtime.reconcile_world import ENDPOINT, STACK, World

BUCKET = "monitoring"
CANARY_URI = f"s3://{BUCKET}/bank_churn/asynchronous/requests/"
LATER = 3
"""How many looks an answer takes."""


@dataclass
class LaterWorld(World):
    """A world whose endpoint answers in S3, some looks after it was asked."""

    waiting: list[tuple[int, str, str, str]] = field(default_factory=list)
    looks: int = 0
    silent: bool = False

    def proved(self, event: dict[str, Any]) -> dict[str, Any]:
        self.looks += 1
        self._answer()
        return prove_asynchronously(
            event,
            ledger=self.ledger,
            cloudformation=self,
            sagemaker=self,
            runtime=self,
            s3=self.s3,
            stack_name=STACK,
            endpoint_name=ENDPOINT,
            canary_uri=CANARY_URI,
            now=self.now,
        )

    def invoke_endpoint_async(
        self, *, EndpointName: str, InputLocation: str, ContentType: str, Accept: str, InferenceId: str
    ) -> dict[str, Any]:
        assert (EndpointName, ContentType, Accept) == (ENDPOINT, "text/csv", "text/csv")
        name = f"bank_churn/asynchronous/answers/{len(self.waiting)}.out"
        failure = f"bank_churn/asynchronous/failures/{len(self.waiting)}.out"
        self.waiting.append((self.looks + LATER, InputLocation, name, failure))
        return {"OutputLocation": f"s3://{BUCKET}/{name}", "FailureLocation": f"s3://{BUCKET}/{failure}"}

    def _answer(self) -> None:
        for due, asked, name, failure in self.waiting:
            if due != self.looks or self.silent:
                continue
            version = self.versions[self.serving or 0]
            canary = self.s3.get_object(Bucket=BUCKET, Key=asked.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
            assert canary == b"1,2"
            if version.behaviour == "model error":
                self.s3.put_object(Bucket=BUCKET, Key=failure, Body=b"no module named inference")
            else:
                answer = 0.9 if version.behaviour == "wrong answers" else version.probability
                self.s3.put_object(Bucket=BUCKET, Key=name, Body=f"{answer}\n".encode())


@pytest.fixture
def later() -> LaterWorld:
    return LaterWorld(dynamodb=MemoryTable(), s3=MemoryObjects(), kms=MemoryKms(), key_arn=MemoryKms.ARN)


def test_a_version_is_proven_once_its_answer_has_come(later: LaterWorld) -> None:
    later.register(1)
    states = later.run()
    assert states[-1] == "Done"
    assert states.count("Unanswered") == LATER
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
