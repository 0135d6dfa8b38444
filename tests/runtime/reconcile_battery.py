"""Random days of approvals, pins, machines, challengers, overlapping runs and faults, and what must hold after them.

A schedule follows from its seed alone. It goes on until every run has ended or died; then faults stop, sweeps run as
the schedule of the platform would, and the world is judged.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline_scripts.functions.reconcile_beside import CHALLENGER
from pipeline_scripts.functions.reconcile_parameters import NOTHING
from pipeline_scripts.functions.reconcile_pin import MayNotServe
from pipeline_scripts.functions.reconcile_stack import SETTLED
from tests.runtime.reconcile_memory import MemoryKms, MemoryObjects, MemoryTable
from tests.runtime.reconcile_world import BAD_MACHINES, ENDPOINT, GOOD_MACHINES, TABLE, World, config_of
from tests.runtime.state_machine import TaskFailed

FAULTS = (
    "throttled",  # refused before anything happened; Step Functions tries again
    "lost response",  # done, but nobody heard; Step Functions tries again
    "crash before",  # the execution is gone before the step
    "crash after",  # the execution is gone after the step
    "silent rollback",  # the next update ends well, but the endpoint stays what it was
    "rollback failed",  # the next update fails, and so does its roll-back, perhaps also when it is continued
    "endpoint lost",  # SageMaker gives the endpoint up while it serves
    "lease expired",  # the run sleeps longer than its lease
)
BEHAVIOURS = (
    "good",
    "good",
    "good",
    "broken stack",
    "wrong answers",
    "slow answers",
    "model error",
    "failed endpoint",
    "no evidence",
)
LEASE = 1_000  # seconds, longer than the ledger's
SWEEPS = 14
ALL_MACHINES = (*GOOD_MACHINES, *BAD_MACHINES)


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
    repaired_by_a_person: int = 0

    @property
    def flawless(self) -> bool:
        return not (self.wrong or self.rejected_serves or self.duplicate_updates or self.false_successes)


@dataclass
class FaultyWorld(World):
    """A world whose steps go wrong as `trouble` says, and which remembers what it really did."""

    verdict: Verdict = field(default_factory=Verdict)
    trouble: str | None = None
    next_update: str | None = None
    to_blame: set[int] = field(default_factory=set)
    machines_to_blame: set[str] = field(default_factory=lambda: set(BAD_MACHINES))
    last_proven: int | None = None
    machines_proven: bool = False

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
        self._believe(event)
        if trouble == "crash after":
            raise Died
        if trouble == "lost response":
            raise TaskFailed("Lambda.ServiceException", json.dumps({"errorMessage": "no response"}))
        return answer

    def update_stack(self, **request: Any) -> None:
        """Accept an update as CloudFormation does, and note one that asks for what is already there."""
        asked = {p["ParameterKey"]: p["ParameterValue"] for p in request["Parameters"] if "ParameterValue" in p}
        self.verdict.duplicate_updates += asked.items() <= self.parameters.items()
        super().update_stack(**request)

    def _land(self, new: dict[str, str]) -> None:
        fault, self.next_update = self.next_update, None
        number = None if new["ModelPackageArn"] == "none" else int(new["ModelVersion"])
        moves = number is not None and self.serving is not None and self.touches_endpoint(new)
        if fault == "rollback failed":
            self.status = "UPDATE_ROLLBACK_FAILED"
            self._blame(number, new)
            self.verdict.faults[fault] += 1
            return
        if fault == "silent rollback" and moves and not self.refusals(new):
            self._blame(number, new)
            self.status, self.parameters = "UPDATE_COMPLETE", new
            self.verdict.faults[fault] += 1
            return
        # While nothing was ever proven, version and machines come together, and nobody can tell them apart.
        together = new.get("InstanceType") in BAD_MACHINES and not self.machines_proven
        if self.refusals(new):
            self._blame(number, new)  # the endpoint was lost under way
        super()._land(new)
        if number is not None and (together or self.versions[number].behaviour != "good"):
            self.to_blame.add(number)

    def lose_endpoint(self) -> None:
        """SageMaker gives up what serves; whatever is under way there may be blamed for it."""
        if self.serving is not None and self.endpoint_status == "InService":
            self.endpoint_status = "Failed"
            self._blame(self.serving, self.parameters)
            self.verdict.faults["endpoint lost"] += 1

    def _blame(self, number: int | None, parameters: dict[str, str]) -> None:
        """Whoever may be blamed for a fault; never a version that is only brought back to where it was proven."""
        in_place = number == self.last_proven and self.parameters["ModelVersion"] in (str(number), "none")
        if number is not None and not in_place:
            self.to_blame.add(number)
        self.machines_to_blame |= {parameters.get("InstanceType", "")}

    def _believe(self, event: dict[str, Any]) -> None:
        """Compare what is recorded with what is so, and remember what a kept version would be."""
        number = int((event.get("state", {}).get("target") or {}).get("version", 0))
        match event.get("record"):
            case "served":
                self.verdict.false_successes += self.serving != number or self.config != config_of(self.parameters)
                self.last_proven = number
                self.machines_proven = True
            case "withdrawn":
                if self.when_none_approved == "keep" and self.last_proven is not None:
                    self.verdict.wrong.append(f"{self.last_proven} was withdrawn although it is to be kept")
                self.last_proven = None
            case "quarantined" if number == self.last_proven:
                self.last_proven = None


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
    world.when_none_approved = draw.choice(("withdraw", "withdraw", "keep"))
    if draw.random() < 0.5:
        world.scale(draw.choice(GOOD_MACHINES))
    if random.Random(f"challenger {seed}").random() < 0.25:  # a die of its own, for the other days to stay as they were
        world.parameters[CHALLENGER] = NOTHING
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
    if CHALLENGER in world.parameters:
        _play_evening(draw, world, fault_rate=0.0 if calm else fault_rate)
    if calm:
        _judge(world)
    _settle(world)
    _judge(world)
    _judge_machines(world)
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


def _play_evening(draw: random.Random, world: FaultyWorld, *, fault_rate: float) -> None:
    """Most of what is named by day comes before anything serves. Now one is, and perhaps written over as it stands."""
    number = draw.choice(list(world.versions))
    world.decide(number, "Approved")
    _challenge(world, number)
    _play_day(draw, world, actions=1, fault_rate=fault_rate)
    if draw.random() < 0.5:
        world.sealed.pop(number)
        world.to_blame.add(number)
        _play_day(draw, world, actions=1, fault_rate=fault_rate)


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
    """Somebody approves or rejects, pins, unpins or goes back, or deploys with other machines or a challenger."""
    number = draw.choice(list(world.versions))
    if CHALLENGER in world.parameters and draw.random() < 0.4:
        _challenge(world, number)
        return
    what = draw.random()
    if what < 0.55:
        world.decide(number, draw.choice(("Approved", "Approved", "Rejected")))
    elif what < 0.7:
        _ask(world, draw.choice(("pin", "pin", "unpin", "rollback")), number)
    elif world.instance_type:
        world.instance_type = draw.choice(ALL_MACHINES)
    else:
        world.decide(number, "Rejected")


def _challenge(world: FaultyWorld, number: int) -> None:
    """A person deploys the stack with a version beside the one that serves, where CloudFormation would do it."""
    as_asked = world.config == config_of(world.parameters) and world.endpoint_status == "InService"
    if world.status in SETTLED and as_asked:
        world.parameters[CHALLENGER] = world.versions[number].arn
        world.config = config_of(world.parameters)


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
    fault = draw.choice((*FAULTS, "silent rollback", "silent rollback"))  # few updates can be rolled back so
    if fault == "lease expired":
        world.verdict.faults[fault] += 1
        world.now += LEASE
        run.asleep = draw.randint(0, 60)
    elif fault == "endpoint lost":
        world.lose_endpoint()
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
            _repair(world)
    world.verdict.wrong.append(f"{SWEEPS} sweeps did not come to rest")


def _repair(world: FaultyWorld) -> None:
    """A person who was told gives the endpoint the configuration that its stack names."""
    if world.serving is not None and world.config != config_of(world.parameters):
        world.config = config_of(world.parameters)
        world.serving = int(world.parameters["ModelVersion"])
        world.verdict.repaired_by_a_person += 1


def _judge(world: FaultyWorld) -> None:
    quarantined = {int(arn.rpartition("/")[2]) for arn in world.ledger.quarantined()}
    approved = {number for number, version in world.versions.items() if version.status == "Approved"}
    expected = _expected(world, approved - quarantined)
    verdict = world.verdict
    if world.serving != expected:
        verdict.wrong.append(f"{world.serving} serves, {expected} should")
    if not quarantined <= world.to_blame:
        verdict.wrong.append(f"{sorted(quarantined - world.to_blame)} were blamed for nothing")
    if world.serving is None and world.ledger.current():
        verdict.wrong.append("the ledger names a version although none serves")
    if world.serving is not None:
        kept = world.when_none_approved == "keep" and not approved - quarantined
        verdict.rejected_serves += world.versions[world.serving].status != "Approved" and not kept
        if world.versions[world.serving].behaviour != "good":
            verdict.wrong.append(f"{world.serving} serves although it is {world.versions[world.serving].behaviour}")
        if world.ledger.current().get("package_arn") != world.versions[world.serving].arn:
            verdict.wrong.append("the ledger names another version than the one that serves")
        challenger = int(world.parameters.get(CHALLENGER, NOTHING).replace(NOTHING, "0").rpartition("/")[2])
        genuine = {n for n in approved if n in world.sealed and world.versions[n].behaviour != "no evidence"}
        if challenger and challenger not in genuine - quarantined:
            verdict.wrong.append(f"{challenger} stands beside it although it may not")
        if world.parameters.get("Scaling", "on") != "on":
            verdict.wrong.append("scaling was left off")
        if world.endpoint_status != "InService":
            verdict.wrong.append(f"the endpoint is {world.endpoint_status}")


def _expected(world: FaultyWorld, servable: set[int]) -> int | None:
    """What should serve, told from what people did and from what was really proven."""
    pinned = int(world.ledger.pin().get("version", 0))
    kept = world.last_proven if world.when_none_approved == "keep" else None
    return pinned if pinned in servable else max(servable, default=kept)


def _judge_machines(world: FaultyWorld) -> None:
    """Once all is at rest, what serves is on the machines that are wanted, or on good ones if those would not do."""
    unfit = set(world.ledger.unfit())
    if not unfit <= world.machines_to_blame:
        world.verdict.wrong.append(f"{sorted(unfit - world.machines_to_blame)} were refused for nothing")
    if world.refused_by_sagemaker:
        world.verdict.wrong.append(f"SageMaker refused: {world.refused_by_sagemaker}")
    machines = world.parameters.get("InstanceType")
    if world.serving is None or machines is None:
        return
    if machines != world.instance_type and world.instance_type not in unfit:
        world.verdict.wrong.append(f"{machines} serve, {world.instance_type} are wanted")
    if machines in BAD_MACHINES:
        world.verdict.wrong.append(f"{machines} serve, which are {BAD_MACHINES[machines]}")


def lock_owner(world: World) -> str | None:
    """Whose the endpoint is at this moment."""
    key = {"endpoint": {"S": ENDPOINT}, "item": {"S": "lock"}}
    item = world.dynamodb.get_item(TableName=TABLE, Key=key).get("Item", {})
    return item["owner"]["S"] if "owner" in item else None
