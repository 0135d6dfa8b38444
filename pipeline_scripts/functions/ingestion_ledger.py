"""The ledger of one model's ingestions: who may ingest now, what was published last, and how every run ended."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import boto3

from pipeline_scripts.functions.partition import ConditionFailed, Facts, Partition

CLAIM = "claim"
ATTEMPTS = 5
"""Each attempt to claim loses only to another run that won."""

WEEK_SECONDS = 7 * 24 * 3600

OPEN = "attribute_not_exists(#outcome) OR #outcome = :running"
LEFT_BEHIND = "its execution ended without a record: it was stopped, or ran out of time"


class ClaimLost(Exception):
    """Another run has taken over, so this one must not write any more."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One execution of the workflow: its ARN, and when it began (ISO 8601, UTC)."""

    execution: str
    started_at: str

    @property
    def line(self) -> str:
        """Its line of the ledger; lines are in order of time."""
        return f"run#{self.started_at}#{self.execution.rpartition(':')[2]}"


class IngestionLedger:
    """One DynamoDB partition per model.

    Item `claim` says who ingests (`owner`, its `line`, `expires_at`), whether somebody `called` meanwhile, and what the
    last complete run had published (`published_hash`, `published_run`). Items `run#<began>#<execution>` are the
    history, whose `outcome` is running, succeeded, skipped, failed or lost.

    Args:
        partition: The model's items.
        clock: Seconds since the epoch.
    """

    def __init__(self, *, partition: Partition, clock: Callable[[], float]) -> None:
        self._items = partition
        self._clock = clock

    def claim(
        self, run: Run, *, seconds: int, ended: Callable[[str], bool], facts: Facts, calling: bool = False
    ) -> str | None:
        """Take the claim for `seconds`; None when it is taken, else the execution that holds it.

        A holder whose execution has ended, or whose time is up, is written down as lost and succeeded.

        Args:
            run: Who asks. A run that asks twice keeps what it has.
            seconds: How long an execution may last: afterwards it cannot be running any more.
            ended: Whether an execution has ended.
            facts: What is known of the run from the start.
            calling: Whether a holder must know that somebody asked, because it may not have seen what was meant.
        """
        for _ in range(ATTEMPTS):
            held = self._items.item(CLAIM)
            owner = held.get("owner")
            if owner not in (None, run.execution):
                if held["expires_at"] >= self._clock() and not ended(owner):
                    if calling and not self._call(str(owner)):
                        continue  # it has just left, so the claim may be free
                    return str(owner)
                self._lose(str(held["line"]))
            if self._take(run, owner, seconds):
                self._note(run.line, {**facts, "outcome": "running", "execution": run.execution}, where=OPEN)
                return None
        return "others"

    def skip(self, run: Run, facts: Facts) -> None:
        """Write down a run that found the claim taken, and ended."""
        self._note(run.line, {**facts, "outcome": "skipped", "execution": run.execution, "ended_at": self._now()})

    def note(self, run: Run, facts: Facts) -> None:
        """Add facts to the line of a run that goes on.

        Raises:
            ClaimLost: Another run has taken over.
        """
        try:
            self._items.change(run.line, put=facts, where=OPEN, given={"running": "running"})
        except ConditionFailed as error:
            raise ClaimLost("another run has taken over; this one stops without writing") from error

    def close(self, run: Run, outcome: str, facts: Facts, *, published: Facts | None = None) -> bool:
        """Write down how a run ended, then give the claim back, and with it what is now published.

        In this order, so that a claim given back always has its end written down. Both can be repeated.

        Returns:
            Whether somebody called while the claim was held.

        Raises:
            ClaimLost: Another run has taken over, and has written down this one as lost.
        """
        try:
            self._items.change(
                run.line,
                put={**facts, "outcome": outcome, "execution": run.execution, "ended_at": self._now()},
                where=f"{OPEN} OR #outcome = :same",
                given={"running": "running", "same": outcome},
            )
        except ConditionFailed as error:
            raise ClaimLost("another run has taken over; this one stops without writing") from error
        if not self._release(run, published, where="#owner = :me AND attribute_not_exists(#called)"):
            self._release_called(run, outcome, published)
        return bool(self._items.item(run.line).get("called"))

    def _release_called(self, run: Run, outcome: str, published: Facts | None) -> None:
        """Keep in the run's line that somebody called, then give the claim back, unless that is done already."""
        if self._items.item(CLAIM).get("owner") == run.execution:
            self._items.change(run.line, put={"called": True}, where="#outcome = :same", given={"same": outcome})
            self._release(run, published, where="#owner = :me")

    def _release(self, run: Run, published: Facts | None, *, where: str) -> bool:
        """Give the claim back, if it is still this run's and the rest of the condition holds."""
        gone = ("owner", "line", "expires_at", "called")
        try:
            self._items.change(CLAIM, put=published, remove=gone, where=where, given={"me": run.execution})
        except ConditionFailed:
            return False
        return True

    def published(self) -> tuple[str, str]:
        """Hash and run of the data set that the last complete run had published; empty texts before the first."""
        held = self._items.item(CLAIM)
        return str(held.get("published_hash", "")), str(held.get("published_run", ""))

    def usual_rows(self) -> float | None:
        """The median number of rows that the last week's complete runs published; None where there was none."""
        now = self._clock()
        week = self._items.between(f"run#{_iso(now - WEEK_SECONDS)}", f"run#{_iso(now)}~")
        rows = [line["rows"] for line in week if line["outcome"] == "succeeded" and "rows" in line]
        return statistics.median(rows) if rows else None

    def _take(self, run: Run, owner: str | None, seconds: int) -> bool:
        """Take the claim, if it is still held as it was read."""
        put: Facts = {"owner": run.execution, "line": run.line, "expires_at": int(self._clock()) + seconds}
        where = "attribute_not_exists(#owner)" if owner is None else "#owner = :read"
        given: Facts = {} if owner is None else {"read": owner}
        # Who called the holder before has called whoever succeeds it, which has yet to read anything.
        remove = () if owner == run.execution else ("called",)
        try:
            self._items.change(CLAIM, put=put, remove=remove, where=where, given=given)
        except ConditionFailed:
            return False
        return True

    def _call(self, owner: str) -> bool:
        """Let a holder know that somebody asked; False when it does not hold the claim any more."""
        try:
            self._items.change(CLAIM, put={"called": True}, where="#owner = :holder", given={"holder": owner})
        except ConditionFailed:
            return False
        return True

    def _lose(self, line: str) -> None:
        self._note(line, {"outcome": "lost", "reason": LEFT_BEHIND, "ended_at": self._now()}, where=OPEN)

    def _note(self, line: str, facts: Facts, *, where: str = OPEN) -> None:
        try:
            self._items.change(line, put=facts, where=where, given={"running": "running"})
        except ConditionFailed:
            return  # its end is written down already

    def _now(self) -> str:
        return _iso(self._clock())


def open_ledger() -> IngestionLedger:
    """The ledger that the function's environment names."""
    client: Any = boto3.client("dynamodb")
    partition = Partition(
        client=client, table=os.environ["LEDGER_TABLE"], key=("model", os.environ["MODEL_NAME"]), sort_key="entry"
    )
    return IngestionLedger(partition=partition, clock=time.time)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
