"""First step of an ingestion: read what was asked for, and see that no other run is at work."""

import os
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import MOMENT, TEXT, objects, takes
from pipeline_scripts.functions.ingestion_ledger import IngestionLedger, Run, open_ledger

logger = Logger(service="claim_ingestion")

MODES = ("auto", "full", "backfill")
EVENT = "event"
"""How the cause of a start by an event begins."""

DATES = ("as_of", "backfill_from", "backfill_to")
KNOWN = {"cause", "train", "mode", "erasure", *DATES}
ERASURE = re.compile(r"[0-9a-f]{32}")


class RequestRefused(Exception):
    """The execution's input asks for something that there is not; the message says what and how to mend it."""


EVENT_SCHEMA = objects({"execution": TEXT, "started_at": MOMENT, "asked": {"type": "object"}})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the claim for the execution that the event names: claimed or busy."""
    states = boto3.client("stepfunctions")
    state = claim(
        event,
        ledger=open_ledger(),
        ended=lambda execution: has_ended(states, execution),
        seconds=int(os.environ["CLAIM_SECONDS"]),
    )
    logger.info("claim", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def claim(
    event: Mapping[str, Any], *, ledger: IngestionLedger, ended: Callable[[str], bool], seconds: int
) -> dict[str, Any]:
    """Take the claim, or leave it to the run that has it.

    Args:
        event: `execution`, `started_at`, and what was `asked`: the execution's input.
        ledger: The model's ledger.
        ended: Whether another execution has ended.
        seconds: How long an execution may last.

    Returns:
        The workflow's state: `outcome`, `reason`, the Glue job's `arguments`, and whether it may `train`, and
        whether it is `erasing` a person's link instead of ingesting.

    Raises:
        RequestRefused: The input makes no sense.
    """
    run = Run(execution=event["execution"], started_at=event["started_at"])
    asked = event["asked"]
    arguments = job_arguments(asked)
    erasing = "erasure" in asked
    facts = {
        "cause": str(asked.get("cause", "a person")),
        "mode": "erasure" if erasing else asked.get("mode", "auto"),
    }
    state = {
        "execution": run.execution,
        "started_at": run.started_at,
        "arguments": arguments,
        "train": asked.get("train", True),
        "erasing": erasing,
    }
    # A schedule, or a person, asks for a run; an event tells of rows that the run at work may not have seen.
    told = facts["cause"].startswith(EVENT)
    holder = ledger.claim(run, seconds=seconds, ended=ended, facts=facts, calling=told)
    if holder is None:
        return {**state, "outcome": "claimed", "reason": "no other run is at work"}
    reason = f"another run is at work: {holder.rpartition(':')[2]}"
    ledger.skip(run, {**facts, "reason": reason})
    return {**state, "outcome": "busy", "reason": reason}


def job_arguments(asked: Any) -> dict[str, str]:
    """The Glue job's arguments for an execution's input: those that were given, and no others.

    Raises:
        RequestRefused: The input makes no sense.
    """
    if not isinstance(asked, dict):
        raise RequestRefused(f"the execution's input must be an object, got {type(asked).__name__}")
    strays = sorted(set(asked) - KNOWN)
    if strays:
        raise RequestRefused(f"input {strays[0]!r} is not known; there are {', '.join(sorted(KNOWN))}")
    if "erasure" in asked:
        return _erasure(asked)
    if not isinstance(asked.get("train", True), bool):
        raise RequestRefused(f"input 'train' must be true or false, got {asked['train']!r}")
    if asked.get("mode", "auto") not in MODES:
        raise RequestRefused(f"input 'mode' must be one of {', '.join(MODES)}, got {asked['mode']!r}")
    days = {name: _day(name, asked[name]) for name in DATES if name in asked}
    _check_backfill(asked.get("mode", "auto"), days)
    mode = {"--mode": asked["mode"]} if "mode" in asked else {}
    return {**mode, **{f"--{name}": day.isoformat() for name, day in days.items()}}


def _erasure(asked: Mapping[str, Any]) -> dict[str, str]:
    if set(asked) - {"cause", "erasure"}:
        raise RequestRefused("an erasure reads nothing, so beside 'erasure' there is only 'cause'")
    if not isinstance(asked["erasure"], str) or not ERASURE.fullmatch(asked["erasure"]):
        raise RequestRefused("input 'erasure' must be the name that baton erase gave the request, 32 hex digits")
    return {"--erasure": asked["erasure"]}


def _check_backfill(mode: str, days: dict[str, date]) -> None:
    ends = [name for name in ("backfill_from", "backfill_to") if name in days]
    if mode == "backfill" and len(ends) < 2:
        raise RequestRefused("a backfill needs both its days: give 'backfill_from' and 'backfill_to'")
    if mode != "backfill" and ends:
        raise RequestRefused(f"input {ends[0]!r} belongs to a backfill; say 'mode': 'backfill'")
    if ends and days["backfill_from"] > days["backfill_to"]:
        raise RequestRefused("'backfill_from' must not be after 'backfill_to'")


def _day(name: str, given: Any) -> date:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError) as error:
        raise RequestRefused(f"input {name!r} must be a date as YYYY-MM-DD, got {given!r}") from error


def has_ended(states: Any, execution: str) -> bool:
    """Whether an execution is known to have ended. One that is not found may only just have begun."""
    try:
        return bool(states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    except states.exceptions.ExecutionDoesNotExist:
        return False
