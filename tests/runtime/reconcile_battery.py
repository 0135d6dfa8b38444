"""Random days of approvals, rejections, overlapping runs and faults, and what must hold when they are over.

A schedule follows from its seed alone. It goes on until every run has ended or died; then faults stop, sweeps run as
the schedule of the platform would, and the world is judged.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.runtime.reconcile_memory import MemoryKms, MemoryObjects, MemoryTable
from tests.runtime.reconcile_world import ENDPOINT, TABLE, World
from tests.runtime.state_machine import TaskFailed

FAULTS = (
    "throttled",  # refused before anything happened; Step Functions tries again
    "lost response",  # done, but nobody heard; Step Functions tries again
    "crash before",  # the execution is gone before the step
    "crash after",  # the execution is gone after the step
    "silent rollback",  # the next update ends well, but the endpoint stays what it was
    "rollback failed",  # the next update leaves the stack in a state that only a person leaves
    "lease expired",  # the run sleeps longer than its lease
)
BEHAVIOURS = ("good", "good", "good", "broken stack", "wrong answers", "model error", "failed endpoint", "no evidence")
LEASE = 1_000  # seconds, longer than the ledger's
SWEEPS = 8


class Died(BaseException):
    """The execution is gone; no step and no catch of the workflow hears of it."""


@dataclass
class Verdict:
    """What a schedule came to: the faults that took effect, and a sentence for everything that must not be."""

    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    rejected_serves: int = 0
    duplicate_updates: int = 0
    false_successes: int = 0


@dataclass
class FaultyWorld(World):
    """A world whose steps go wrong as `trouble` says, and which remembers what it really did."""

    verdict: Verdict = field(default_factory=Verdict)
    trouble: str | None = None
    next_update: str | None = None
    to_blame: set[int] = field(default_factory=set)
    landed: str | None = None

    def step(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        """Do one step, with the trouble that was ordered for it."""
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            self.verdict.faults[trouble] += 1
        if trouble == "crash before":
            raise Died
        if trouble == "throttled":
            raise TaskFailed("ThrottlingException", json.dumps({"errorMessage": "Rate exceeded"}))
        answer = super().step(name, event)
        if event.get("record") == "served":
            self._check_success(event["state"])
        if trouble == "crash after":
            raise Died
        if trouble == "lost response":
            raise TaskFailed("Lambda.ServiceException", json.dumps({"errorMessage": "no response"}))
        return answer

    def update_stack(self, **request: Any) -> None:
        """Accept an update as CloudFormation does, and note one that asks for what is already there."""
        wanted = next(p["ParameterValue"] for p in request["Parameters"] if p["ParameterKey"] == "ModelPackageArn")
        super().update_stack(**request)
        self.verdict.duplicate_updates += wanted == self.landed

    def _land(self, new: dict[str, str]) -> None:
        fault, self.next_update = self.next_update, None
        number = None if new["ModelPackageArn"] == "none" else int(new["ModelVersion"])
        if fault == "rollback failed":
            self.status = "UPDATE_ROLLBACK_FAILED"
            self.verdict.faults[fault] += 1
            return
        if fault == "silent rollback" and number is not None and self.serving is not None:
            self.status, self.parameters, self.landed = "UPDATE_COMPLETE", new, new["ModelPackageArn"]
            self.to_blame.add(number)
            self.verdict.faults[fault] += 1
            return
        super()._land(new)
        self.landed = new["ModelPackageArn"] if self.status == "UPDATE_COMPLETE" else None
        if number is not None and self.versions[number].behaviour != "good":
            self.to_blame.add(number)

    def _check_success(self, state: dict[str, Any]) -> None:
        if self.serving != int(state["target"]["version"]):
            self.verdict.false_successes += 1


@dataclass
class Run:
    """One execution under way. `asleep` counts the steps that others make before it wakes."""

    name: str
    states: Iterator[str]
    last: str = ""
    asleep: int = 0


def play(seed: int, *, most_versions: int = 4, most_actions: int = 8, fault_rate: float = 0.18) -> Verdict:
    """Play one schedule to its end and judge it.

    One schedule in four is calm: nothing goes wrong and no event is lost, so all must be right without any sweep.
    """
    draw = random.Random(seed)
    world = FaultyWorld(dynamodb=MemoryTable(), s3=MemoryObjects(), kms=MemoryKms(), key_arn=MemoryKms.ARN)
    alike = draw.random() < 0.5  # versions that answer the canary alike hide a roll-back from it
    for number in range(1, draw.randint(1, most_versions) + 1):
        behaviour = draw.choice(BEHAVIOURS)
        chance = 0.25 if alike else None
        world.register(number, status="PendingManualApproval", behaviour=behaviour, probability=chance)
        if behaviour == "no evidence":
            world.put_evidence(number, "gate/gate.json", {"passed": 0})
            world.to_blame.add(number)
    calm = draw.random() < 0.25
    _play_day(draw, world, actions=draw.randint(2, most_actions), fault_rate=0.0 if calm else fault_rate)
    if calm:
        _judge(world)
    _settle(world)
    _judge(world)
    return world.verdict


def _play_day(draw: random.Random, world: FaultyWorld, *, actions: int, fault_rate: float) -> None:
    running: list[Run] = []
    started = 0
    while actions or running:
        if actions and (not running or draw.random() < 0.2):
            actions -= 1
            _act(draw, world)
            for _ in range(draw.choice((0, 1, 1, 1, 2) if fault_rate else (1, 2))):  # an event is lost, or comes twice
                running.append(Run(name=f"run-{started}", states=world.start(f"run-{started}")))
                started += 1
            continue
        awake = [run for run in running if not run.asleep] or running
        run = draw.choice(awake)
        for other in running:
            other.asleep = max(0, other.asleep - 1)
        if not _goes_on(draw, world, run, fault_rate=fault_rate):
            running.remove(run)


def _goes_on(draw: random.Random, world: FaultyWorld, run: Run, *, fault_rate: float) -> bool:
    """One step of a run, perhaps with a fault in it; False when the run is over."""
    if draw.random() < fault_rate:
        _order(draw, world, run)
    try:
        run.last = next(run.states)
    except Died:
        return False
    except StopIteration:
        if lock_owner(world) == run.name:
            world.verdict.wrong.append(f"{run.name} is over ({run.last}) and keeps the lock")
        if run.last == "Failed" and not fault_rate:
            world.verdict.wrong.append(f"{run.name} failed on a day when nothing went wrong")
        return False
    finally:
        world.trouble = None
    return True


def _act(draw: random.Random, world: FaultyWorld) -> None:
    number = draw.choice(list(world.versions))
    world.decide(number, draw.choice(("Approved", "Approved", "Rejected")))


def _order(draw: random.Random, world: FaultyWorld, run: Run) -> None:
    fault = draw.choice(FAULTS)
    if fault == "lease expired":
        world.verdict.faults[fault] += 1
        world.now += LEASE
        run.asleep = draw.randint(0, 60)
    elif fault in ("silent rollback", "rollback failed"):
        world.next_update = fault
    else:
        world.trouble = fault


def _settle(world: FaultyWorld) -> None:
    """The faults are over: a person repairs the stack, and sweeps come by until nothing is left to do."""
    world.trouble = world.next_update = None
    for sweep in range(SWEEPS):
        world.now += LEASE
        if world.status == "UPDATE_ROLLBACK_FAILED":
            world.status = "UPDATE_ROLLBACK_COMPLETE"
        if world.run(f"sweep-{sweep}") == ["Begin", "Choose", "Chosen", "Done"]:
            return
    world.verdict.wrong.append(f"{SWEEPS} sweeps did not come to rest")


def _judge(world: FaultyWorld) -> None:
    quarantined = {int(arn.rpartition("/")[2]) for arn in world.ledger.quarantined()}
    approved = {number for number, version in world.versions.items() if version.status == "Approved"}
    expected = max(approved - quarantined, default=None)
    verdict = world.verdict
    if world.serving != expected:
        verdict.wrong.append(f"{world.serving} serves, {expected} is the highest that may")
    if not quarantined <= world.to_blame:
        verdict.wrong.append(f"{sorted(quarantined - world.to_blame)} were blamed for nothing")
    if world.serving is None and world.ledger.current():
        verdict.wrong.append("the ledger names a version although none serves")
    if world.serving is not None:
        verdict.rejected_serves += world.versions[world.serving].status != "Approved"
        if world.versions[world.serving].behaviour != "good":
            verdict.wrong.append(f"{world.serving} serves although it is {world.versions[world.serving].behaviour}")
        if world.ledger.current().get("package_arn") != world.versions[world.serving].arn:
            verdict.wrong.append("the ledger names another version than the one that serves")


def lock_owner(world: World) -> str | None:
    """Whose the endpoint is at this moment."""
    key = {"endpoint": {"S": ENDPOINT}, "item": {"S": "lock"}}
    item = world.dynamodb.get_item(TableName=TABLE, Key=key).get("Item", {})
    return item["owner"]["S"] if "owner" in item else None
