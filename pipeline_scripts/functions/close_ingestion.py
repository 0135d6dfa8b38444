"""Last step of an ingestion, however it went: write down its end, and give the claim back."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from pipeline_scripts.functions import caught
from pipeline_scripts.functions.events import MOMENT, TEXT, objects, takes
from pipeline_scripts.functions.ingestion_ledger import ClaimLost, IngestionLedger, Run, open_ledger

logger = Logger(service="close_ingestion")

REASON_LENGTH = 1000


STATE = {"execution": TEXT, "started_at": MOMENT}
PUBLISHED = objects({"dataset_hash": TEXT, "run_id": TEXT, "changed": {"type": "boolean"}})
EVENT_SCHEMA = {
    "anyOf": [
        objects({"outcome": {"const": "failed"}, "state": objects(STATE)}),
        objects({"outcome": {"const": "succeeded"}, "state": objects({**STATE, "erasing": {"const": True}})}),
        objects({"outcome": {"const": "succeeded"}, "state": objects({**STATE, "published": PUBLISHED})}),
    ]
}


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Close the run of `event["state"]` as `event["outcome"]`: succeeded or failed."""
    state = close(event["outcome"], event["state"], ledger=open_ledger(), clock=time.time)
    logger.info("closed", extra={"outcome": event["outcome"], "reason": state["reason"]})
    return state


def close(
    outcome: str, state: Mapping[str, Any], *, ledger: IngestionLedger, clock: Callable[[], float]
) -> dict[str, Any]:
    """Write down how a run ended, and why.

    Only a complete run moves what counts as published, so the next one takes up what this one left undone.

    Args:
        outcome: succeeded or failed.
        state: The workflow's state; `error` is what it caught.
        ledger: The model's ledger.
        clock: Seconds since the epoch.

    Returns:
        The state with the `reason`, and as `outcome` whether an event calls for another run: again or finished.

    Raises:
        ClaimLost: Another run has taken over from this one, which was about to succeed.
    """
    run = Run(execution=state["execution"], started_at=state["started_at"])
    began = datetime.fromisoformat(state["started_at"].replace("Z", "+00:00")).timestamp()
    facts: dict[str, str | float] = {"minutes": round((clock() - began) / 60, 2)}
    if outcome == "failed":
        unforeseen = {"Error": "Unforeseen", "Cause": f"a step answered {state.get('outcome')!r}"}
        reason = caught.sentence(state.get("error", unforeseen))[:REASON_LENGTH]
        try:
            ledger.close(run, outcome, {**facts, "reason": reason})
        except ClaimLost as error:
            reason = f"{reason} ({error})"
        return {**state, "reason": reason}
    facts |= {"training": _training(state), "reason": ""}
    called = ledger.close(run, outcome, facts, published=_mark(state))
    reason = "erased" if state.get("erasing") else "published"
    return {**state, "outcome": "again" if called else "finished", "reason": reason}


def _mark(state: Mapping[str, Any]) -> dict[str, str] | None:
    """What counts as published from now on; None where nothing was to be."""
    if state.get("erasing"):
        return None
    published = state["published"]
    return {"published_hash": published["dataset_hash"], "published_run": published["run_id"]}


def _training(state: Mapping[str, Any]) -> str:
    """What became of the training, in a few words."""
    if state.get("erasing"):
        return "none: an erasure"
    answer = state.get("training")
    if answer is not None:
        return f"started: {answer.get('execution_arn')}" if answer.get("started") else f"refused: {answer.get('why')}"
    if not state["published"]["changed"]:
        return "none: the data set has not changed"
    return "none: not automatic for this model" if state["train"] else "none: not wanted in this run"
