"""A world whose steps go wrong when they are told to, and which remembers what it really did: one for each kind."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.runtime.reconcile_kinds import BatchWorld, LaterWorld, TwoVersions, WithChallenger, WithShadow
from tests.runtime.reconcile_world import BAD_MACHINES, CHALLENGER, ENDPOINT, SHADOW, TABLE, World, beside_of, config_of
from tests.runtime.state_machine import TaskFailed

MAY_STAND = {CHALLENGER: ("Approved",), SHADOW: ("Approved", "PendingManualApproval")}
"""The approvals with which a version may stand beside another."""


class Died(BaseException):
    """The execution is gone; no step and no catch of the workflow hears of it."""


@dataclass
class Verdict:
    """What a schedule came to: the faults that took effect, and a sentence for everything that must not be."""

    kind: str = ""
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
    """A world whose steps go wrong as `trouble` says, and which remembers what it really did.

    It is one version behind an endpoint that answers at once; the other kinds follow below.
    """

    verdict: Verdict = field(default_factory=Verdict)
    trouble: str | None = None
    next_update: str | None = None
    to_blame: set[int] = field(default_factory=set)
    machines_to_blame: set[str] = field(default_factory=lambda: set(BAD_MACHINES))
    last_proven: int | None = None
    displaced: bool = False
    came_together: dict[str, int] = field(default_factory=dict)
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
        if number is not None and self.serving is None:
            self.came_together[new.get("InstanceType", "")] = number
        super()._land(new)
        self.displaced |= self.parameters["ModelVersion"] not in (str(self.last_proven), "none")
        if number is not None and (together or self.versions[number].behaviour != "good"):
            self.to_blame.add(number)

    def lose_endpoint(self) -> None:
        """SageMaker gives up what serves; whatever is under way there may be blamed for it."""
        if self.serving is not None and self.endpoint_status == "InService":
            self.endpoint_status = "Failed"
            self._blame(self.serving, self.parameters)
            self.verdict.faults["endpoint lost"] += 1

    def stop_jobs(self) -> None:
        """Somebody stops the transform jobs that are under way: where there is an endpoint, there are none."""

    @property
    def jobs_under_way(self) -> list[str]:
        """The transform jobs that have not ended."""
        return []

    @property
    def lock_owner(self) -> str | None:
        """Whose the endpoint is at this moment."""
        key = {"endpoint": {"S": ENDPOINT}, "item": {"S": "lock"}}
        item = self.dynamodb.get_item(TableName=TABLE, Key=key).get("Item", {})
        return item["owner"]["S"] if "owner" in item else None

    def _blame(self, number: int | None, parameters: dict[str, str]) -> None:
        """Whoever may be blamed for a fault; never a version that is only brought back to where it was proven."""
        here = number == self.last_proven and self.parameters["ModelVersion"] in (str(number), "none")
        if number is not None and (self.displaced or not here):
            self.to_blame.add(number)
        self.machines_to_blame |= {parameters.get("InstanceType", "")}

    def _believe(self, event: dict[str, Any]) -> None:
        """Compare what is recorded with what is so, and remember what a kept version would be."""
        number = int((event.get("state", {}).get("target") or {}).get("version", 0))
        match event.get("record"):
            case "served":
                self.verdict.false_successes += self.serving != number or self.config != config_of(self.parameters)
                self.last_proven, self.displaced = number, False
                self.machines_proven = True
            case "withdrawn":
                if self.when_none_approved == "keep" and self.last_proven is not None:
                    self.verdict.wrong.append(f"{self.last_proven} was withdrawn although it is to be kept")
                self.last_proven = None
            case "quarantined" if number == self.last_proven:
                self.last_proven = None


@dataclass
class FaultyBeside(FaultyWorld, TwoVersions):
    """Two versions behind one endpoint. `welcome` is the one beside as long as nobody has had anything against it."""

    welcome: int | None = None

    def name(self, parameter: str, number: int | None) -> bool:
        """A person names a version, or takes the one away that stands there; a run under way knows nothing of it."""
        taken = super().name(parameter, number)
        if taken:
            self.welcome = number if self.lock_owner is None else None
            self.look_at_the_welcome(parameter)
        return taken

    def decide(self, number: int, status: str) -> None:
        """A decision may end a welcome."""
        super().decide(number, status)
        for parameter in MAY_STAND:
            self.look_at_the_welcome(parameter)

    def step(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        """So may a quarantine, also one that a person lifts before anybody looks."""
        try:
            return super().step(name, event)
        finally:
            for parameter in MAY_STAND:
                self.look_at_the_welcome(parameter)

    def look_at_the_welcome(self, parameter: str) -> None:
        """It ends with whatever the registry, the ledger or the evidence has against the version."""
        version = self.versions.get(self.welcome or 0)
        if parameter in self.parameters and version is not None:
            fair = version.status in MAY_STAND[parameter] and version.arn not in self.ledger.quarantined()
            self.welcome = version.number if fair and self.is_as_signed(version.number) else None

    def is_as_signed(self, number: int) -> bool:
        """Whether the registry says of it what was signed, and the signed evidence is good."""
        return number in self.sealed and self.versions[number].behaviour != "no evidence"

    def rewrite(self, number: int) -> None:
        """Somebody writes over what the registry says of a version."""
        self.sealed.pop(number, None)
        self.to_blame.add(number)

    def update_stack(self, **request: Any) -> None:
        """Note that a version is taken away which may stand where it does."""
        new = {p["ParameterKey"]: p["ParameterValue"] for p in request["Parameters"] if "ParameterValue" in p}
        for parameter, number in beside_of(self.parameters).items():
            self.look_at_the_welcome(parameter)
            if new.get(parameter) == "none" and number == self.welcome:
                self.verdict.wrong.append(f"{number} was taken away although it may stand beside")
        super().update_stack(**request)


@dataclass
class FaultyChallenger(FaultyBeside, WithChallenger):
    """A challenger beside the version that serves."""


@dataclass
class FaultyShadow(FaultyBeside, WithShadow):
    """A shadow beside the version that serves."""


@dataclass
class FaultyLater(FaultyWorld, LaterWorld):
    """An endpoint that leaves its answers in S3."""


@dataclass
class FaultyBatch(FaultyWorld, BatchWorld):
    """A model that answers in transform jobs."""

    def stop_jobs(self) -> None:
        """Somebody stops the transform jobs that are under way."""
        running = self.jobs_under_way
        self.stopped += running
        if running:
            self.verdict.faults["job stopped"] += 1

    @property
    def jobs_under_way(self) -> list[str]:
        """The transform jobs that have not ended."""
        names = [request["TransformJobName"] for request in self.started]
        looks = ((name, self.describe_transform_job(TransformJobName=name)) for name in names)
        return [name for name, found in looks if found["TransformJobStatus"] == "InProgress"]
