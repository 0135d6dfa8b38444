"""Random days of approvals, pins, new machines, overlapping runs and faults, and what must hold when they are over.

A schedule follows from its number alone, which also says how versions are served in it. It goes on until every run has
ended or died; then faults stop, sweeps run as the schedule of the platform would, and the world is judged.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline_scripts.functions.reconcile_pin import MayNotServe
from tests.runtime.reconcile_faulty import (
    Died,
    FaultyBatch,
    FaultyBeside,
    FaultyChallenger,
    FaultyLater,
    FaultyShadow,
    FaultyWorld,
    Verdict,
)
from tests.runtime.reconcile_judge import judge, judge_machines, judge_notices, was_told_of
from tests.runtime.reconcile_memory import MemoryKms, MemoryObjects, MemoryTable
from tests.runtime.reconcile_world import (
    BAD_MACHINES,
    ENDPOINT,
    GOOD_MACHINES,
    TABLE,
    UNSTARTABLE,
    beside_of,
    config_of,
)

FAULTS = (
    "throttled",  # refused before anything happened; Step Functions tries again
    "lost response",  # done, but nobody heard; Step Functions tries again
    "crash before",  # the execution is gone before the step
    "crash after",  # the execution is gone after the step
    "rollback failed",  # the next update fails, and so does its roll-back, perhaps also when it is continued
    "lease expired",  # the run sleeps longer than its lease
)
OF_ENDPOINTS = (
    "silent rollback",  # the next update ends well, but the endpoint stays what it was
    "endpoint lost",  # SageMaker gives the endpoint up while it serves
)
OF_TWO_VERSIONS = ("crossed",)  # a person deploys the stack with another version beside, across a run
OF_BATCHES = ("job stopped",)  # somebody stops the job that answers the canary
IN_ITS_TIME = {
    "OnItsWay": ("silent rollback",),
    "Unanswered": ("job stopped", "endpoint lost"),
    "Prove": ("endpoint lost", "crossed"),
}
"""By the state that a run is in, what can best go wrong there: few updates, and few proofs, are there to be hit."""
BEHAVIOURS = ("good", "good", "good", "broken stack", "wrong answers", "slow answers", "model error", "no evidence")
LEASE = 1_000  # seconds, longer than the ledger's
SWEEPS = 14
ALL_MACHINES = (*GOOD_MACHINES, *BAD_MACHINES)
LATER = (20.0, 60.0, 600.0)  # seconds until an answer comes, where it does not come at once


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to serve versions: its world, whether that has machines, and what can go wrong in it alone."""

    world: type[FaultyWorld]
    machines: bool = True
    behaviours: tuple[str, ...] = (*BEHAVIOURS, "failed endpoint")
    faults: tuple[str, ...] = (*FAULTS, *OF_ENDPOINTS)


KINDS = {
    "realtime": Kind(world=FaultyWorld),
    "challenger": Kind(world=FaultyChallenger, faults=(*FAULTS, *OF_ENDPOINTS, *OF_TWO_VERSIONS)),
    "shadow": Kind(world=FaultyShadow, faults=(*FAULTS, *OF_ENDPOINTS, *OF_TWO_VERSIONS)),
    "asynchronous": Kind(world=FaultyLater),
    "serverless": Kind(world=FaultyWorld, machines=False),
    "batch": Kind(world=FaultyBatch, machines=False, behaviours=BEHAVIOURS, faults=(*FAULTS, *OF_BATCHES)),
}
"""By the kind of serving, or by what stands beside the version that a real-time endpoint serves."""


@dataclass
class Run:
    """One execution under way. `asleep` counts the steps that others make before it wakes."""

    name: str
    states: Iterator[str]
    last: str = ""
    asleep: int = 0


def kind_of(seed: int) -> str:
    """How versions are served in this schedule."""
    return list(KINDS)[seed % len(KINDS)]


def play(seed: int, *, most_versions: int = 4, most_actions: int = 8, fault_rate: float = 0.18) -> Verdict:
    """Play one schedule to its end and judge it.

    One schedule in four is calm: nothing goes wrong and no event is lost, so all must be right without any sweep.
    """
    draw = random.Random(seed)
    world = _new_world(draw, kind_of(seed), most_versions=most_versions)
    calm = draw.random() < 0.25
    _play_day(draw, world, actions=draw.randint(2, most_actions), fault_rate=0.0 if calm else fault_rate)
    if calm:
        judge(world)
        if world.jobs_under_way:  # only a run that has died leaves one behind
            world.verdict.wrong.append(f"{world.jobs_under_way} have not ended")
    _settle(world)
    judge(world)
    judge_machines(world)
    judge_notices(world)
    return world.verdict


def _new_world(draw: random.Random, name: str, *, most_versions: int) -> FaultyWorld:
    """Some versions that wait for a decision. Every second day, one has served since yesterday, perhaps not alone."""
    kind = KINDS[name]
    world = kind.world(dynamodb=MemoryTable(), s3=MemoryObjects(), kms=MemoryKms(), key_arn=MemoryKms.ARN)
    world.verdict.kind = name
    world.when_none_approved = draw.choice(("withdraw", "withdraw", "keep"))
    if isinstance(world, FaultyLater | FaultyBatch):
        world.answers_after = draw.choice(LATER)
    if kind.machines:
        world.scale(draw.choice(GOOD_MACHINES))
    alike = draw.random() < 0.5  # versions that answer the canary alike hide a roll-back from it
    serves = draw.random() < 0.5
    for number in range(1, draw.randint(1, most_versions) + 1):
        behaviour = "good" if serves and number == 1 else draw.choice(kind.behaviours)
        chance = 0.25 if alike else None
        world.register(number, status="PendingManualApproval", behaviour=behaviour, probability=chance)
        if behaviour == "no evidence":
            world.put_evidence(number, "gate/gate.json", {"passed": 0})
            world.to_blame.add(number)
    if serves:
        world.decide(1, "Approved")
        world.run("yesterday")
        if isinstance(world, FaultyBeside):
            world.name(world.place, draw.choice(list(world.versions)))
            world.run("last night")
    return world


def _play_day(draw: random.Random, world: FaultyWorld, *, actions: int, fault_rate: float) -> None:
    running: list[Run] = []
    started = 0
    while actions or running:
        if actions and (not running or draw.random() < 0.2):
            actions -= 1
            _act(draw, world, calm=not fault_rate)
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
        if world.lock_owner == run.name:
            world.verdict.wrong.append(f"{run.name} is over ({run.last}) and keeps the lock")
        if run.last == "Failed" and not fault_rate:
            world.verdict.wrong.append(f"{run.name} failed on a day when nothing went wrong")
        if run.last == "Failed" and not was_told_of(world, run.name):
            world.verdict.wrong.append(f"{run.name} failed, and nobody was told")
        return False
    finally:
        world.trouble = None
    return True


def _act(draw: random.Random, world: FaultyWorld, *, calm: bool) -> None:
    """Somebody decides on a version, pins it, goes back, names it beside another, or deploys with other machines."""
    number = draw.choice(list(world.versions))
    what = draw.random()
    if isinstance(world, FaultyBeside) and draw.random() < 0.3:
        _name_beside(draw, world, number, calm=calm)
    elif what < 0.55:
        world.decide(number, draw.choice(("Approved", "Approved", "Rejected")))
    elif what < 0.7:
        _ask(world, draw.choice(("pin", "pin", "unpin", "rollback")), number)
    elif what < 0.75:
        _lift_quarantine(world, number)
    elif world.instance_type:
        world.instance_type = draw.choice(ALL_MACHINES)
    else:
        world.decide(number, "Rejected")


def _name_beside(draw: random.Random, world: FaultyBeside, number: int, *, calm: bool) -> None:
    """A person deploys, decides on what stands there, or writes it over.

    A run under way that meets a deployment, or a failure of one, may end: the next sweep takes it up.
    """
    if calm and (world.versions[number].behaviour in UNSTARTABLE or world.lock_owner is not None):
        return
    if world.beside and draw.random() < 0.7:
        number = world.beside[world.place]
        if draw.random() < 0.25:
            world.rewrite(number)
        else:
            world.decide(number, "Rejected")
    else:
        world.name(world.place, number if draw.random() < 0.75 else None)


def _lift_quarantine(world: FaultyWorld, number: int) -> None:
    """As the runbook says it: the item goes from the table."""
    key = {"endpoint": {"S": ENDPOINT}, "item": {"S": f"quarantine#{number}"}}
    world.dynamodb.delete_item(TableName=TABLE, Key=key)


def _ask(world: FaultyWorld, action: str, number: int) -> None:
    quarantined = world.ledger.quarantined()
    servable = {n for n, v in world.versions.items() if v.status == "Approved" and v.arn not in quarantined}
    try:
        pinned = world.ask(action, number)["pinned"]
    except MayNotServe:
        if action == "pin" and number in servable:
            world.verdict.wrong.append(f"{number} was not pinned although it may serve")
        return
    if pinned is not None and int(pinned) not in servable:
        world.verdict.wrong.append(f"{pinned} was pinned although it may not serve")


def _order(draw: random.Random, world: FaultyWorld, run: Run) -> None:
    faults = KINDS[world.verdict.kind].faults
    in_time = [fault for fault in IN_ITS_TIME.get(run.last, ()) if fault in faults]
    fault = draw.choice(in_time if in_time and draw.random() < 0.4 else faults)
    if fault == "lease expired":
        world.verdict.faults[fault] += 1
        world.now += LEASE
        run.asleep = draw.randint(0, 60)
    elif fault == "endpoint lost":
        world.lose_endpoint()
    elif fault == "job stopped":
        world.stop_jobs()
    elif isinstance(world, FaultyBeside) and fault == "crossed":
        world.verdict.faults[fault] += world.name(world.place, draw.choice(list(world.versions)))
    elif fault in ("silent rollback", "rollback failed"):
        world.next_update = fault
        world.failing_rollbacks = draw.choice((0, 0, 1, 3))
    else:
        world.trouble = fault


def _settle(world: FaultyWorld) -> None:
    """The faults are over: sweeps come by until nothing is left to do."""
    world.trouble = world.next_update = None
    for sweep in range(SWEEPS):
        world.now += LEASE
        states = world.run(f"sweep-{sweep}")
        if states == ["Begin", "Choose", "Chosen", "Done"]:
            return
        if states[-1] == "Failed":
            if not was_told_of(world, f"sweep-{sweep}"):
                world.verdict.wrong.append("a sweep left the endpoint to a person who was not told")
            _repair(world)
    world.verdict.wrong.append(f"{SWEEPS} sweeps did not come to rest")


def _repair(world: FaultyWorld) -> None:
    """A person who was told gives the endpoint the configuration that its stack names."""
    repairable = world.serving is not None and not world.cannot_start(world.parameters)
    if repairable and world.config != config_of(world.parameters):
        world.config = config_of(world.parameters)
        world.serving, world.beside = int(world.parameters["ModelVersion"]), beside_of(world.parameters)
        world.verdict.repaired_by_a_person += 1
