"""Ingestion: the workflow's executions, and the data set they leave in the curated zone."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cli.errors import BatonError
from cli.published import current_pointer
from cli.stacks import Platform
from cli.waiting import wait_for


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A version of the model's data set."""

    run_id: str
    uri: str
    hash: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of an execution. It has no end while it goes on."""

    name: str
    started: datetime
    ended: datetime | None


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution of the workflow as it stands: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""

    arn: str
    status: str
    cause: str
    outcome: str
    reason: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """The state in a few words, for a message about waiting."""
        running = [step.name for step in self.steps if step.ended is None]
        return f"{self.status} ({', '.join(running)})" if running else self.status


def start(
    platform: Platform,
    *,
    as_of: date | None = None,
    full: bool = False,
    days: tuple[date, date] | None = None,
    train: bool = False,
) -> str:
    """Start an ingestion; returns the execution's ARN.

    Args:
        platform: The platform.
        as_of: The day on which ages are counted; left out, today.
        full: Read everything, whatever has been read before.
        days: Read again what changed from the first to the last of these days.
        train: Start a training if the data set has changed.
    """
    asked: dict[str, Any] = {"cause": "a person", "train": train}
    if as_of:
        asked["as_of"] = as_of.isoformat()
    if full:
        asked["mode"] = "full"
    if days:
        asked |= {"mode": "backfill", "backfill_from": days[0].isoformat(), "backfill_to": days[1].isoformat()}
    return begin(platform, asked)


def begin(platform: Platform, asked: dict[str, Any]) -> str:
    """Start the workflow with an input of its own; returns the execution's ARN."""
    machine = platform.output("automation", "IngestionStateMachineArn")
    answer = platform.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(asked))
    return str(answer["executionArn"])


def execution(platform: Platform, arn: str) -> Execution:
    """An execution as it stands now."""
    states = platform.client("stepfunctions")
    described = states.describe_execution(executionArn=arn)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn, includeExecutionData=False)
    output = json.loads(described.get("output") or "{}")
    return Execution(
        arn=arn,
        status=described["status"],
        cause=described.get("cause", ""),
        outcome=output.get("outcome", ""),
        reason=output.get("reason", ""),
        steps=_steps([event for page in pages for event in page["events"]]),
    )


def wait(
    platform: Platform,
    arn: str,
    *,
    seconds: float = 4 * 3600,
    meanwhile: Callable[[Execution], None] = lambda present: None,
    every: float = 2.0,
) -> Execution:
    """Wait until an execution has published.

    Raises:
        BatonError: It did not.
    """
    name = arn.rpartition(":")[2]
    ended = wait_for(
        lambda: execution(platform, arn),
        until=lambda present: present.status != "RUNNING",
        what=f"ingestion {name}",
        seconds=seconds,
        every=every,
        meanwhile=meanwhile,
    )
    if ended.status != "SUCCEEDED":
        raise BatonError(f"ingestion {name} ended {ended.status}: {ended.cause or 'no reason given'}")
    if ended.outcome == "busy":
        raise BatonError(f"ingestion {name} was skipped: {ended.reason}; follow that one, or try again later")
    return ended


def current(platform: Platform) -> Dataset:
    """The data set that training would use now.

    Raises:
        BatonError: The ETL job has not yet written one.
    """
    _, pointer = current_pointer(platform)
    return Dataset(
        run_id=pointer["run_id"], uri=pointer["dataset_uri"], hash=pointer["dataset_hash"], rows=int(pointer["rows"])
    )


def _steps(events: list[dict[str, Any]]) -> tuple[Step, ...]:
    """The tasks and waits that an execution has passed, in order; what only decides is left out."""
    steps: list[Step] = []
    for event in sorted(events, key=lambda event: event["id"]):
        kind = event["type"]
        if not kind.startswith(("Task", "Wait")) or "State" not in kind:
            continue
        if kind.endswith("Entered"):
            name = event["stateEnteredEventDetails"]["name"]
            steps.append(Step(name=name, started=event["timestamp"], ended=None))
        elif steps:
            steps[-1] = Step(name=steps[-1].name, started=steps[-1].started, ended=event["timestamp"])
    return tuple(steps)
