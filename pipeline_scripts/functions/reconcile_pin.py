"""Let a person say which of the versions that may serve does: pin one, go back to the last good one, or unpin.

A pin is a wish and no verdict. The workflow that this starts serves the pinned version while it is approved and not
quarantined, and checks its evidence like that of any other; else the highest version serves that may.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import OPTIONAL_TEXT, TEXT, VERSION, objects, takes
from pipeline_scripts.functions.reconcile_choose import desired_version
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.stages import stages_of

logger = Logger(service="reconcile_pin")

_SAID = {"by": TEXT, "reason": OPTIONAL_TEXT}
EVENT_SCHEMA = {
    "anyOf": [
        objects({"action": {"const": "pin"}, "version": VERSION, **_SAID}),
        objects({"action": {"enum": ["rollback", "unpin"]}, **_SAID}),
    ]
}


class MayNotServe(Exception):
    """There is no such version, or it is not approved, or quarantined."""


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer the `pinned` version, None when none is pinned any more, and the `execution` that follows it."""
    answer = pin(
        event,
        ledger=open_ledger(),
        sagemaker=boto3.client("sagemaker"),
        states=boto3.client("stepfunctions"),
        group=os.environ["MODEL_PACKAGE_GROUP"],
        stages=stages_of(os.environ),
        state_machine_arn=os.environ["STATE_MACHINE_ARN"],
        clock=time.time,
    )
    logger.info("pinned", extra={"action": event["action"], "version": answer["pinned"]})
    return answer


def pin(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    sagemaker: Any,
    states: Any,
    group: str,
    state_machine_arn: str,
    clock: Callable[[], float],
    stages: Sequence[str] = (),
) -> dict[str, Any]:
    """Change the pin, write down who did and why, and have the workflow look.

    Args:
        event: The `action` (pin, unpin or rollback), `by` whom and for what `reason`; the `version` to pin.
        ledger: The endpoint's ledger.
        sagemaker: Reads the registry.
        states: Starts the workflow.
        group: The model package group whose versions may serve.
        state_machine_arn: The workflow.
        clock: Seconds since the epoch.
        stages: The stage that a version must be approved for, and those after it; none where the registry is this
            environment's own.

    Raises:
        MayNotServe: The version that was asked for may not, or there is none to go back to.
    """
    entry = {
        "at": datetime.fromtimestamp(clock(), timezone.utc).isoformat(timespec="milliseconds"),
        "by": event["by"],
        "reason": event["reason"],
    }
    if event["action"] == "unpin":
        ledger.unpin()
        entry["kind"] = "unpinned"
    else:
        version = _servable(event, ledger=ledger, sagemaker=sagemaker, group=group, stages=stages)
        entry |= {"kind": "pinned", "version": version}
        ledger.set_pin(entry)
    ledger.remember(entry["at"], 0, entry)
    started = states.start_execution(stateMachineArn=state_machine_arn, input=json.dumps({"cause": entry["kind"]}))
    return {"pinned": entry.get("version"), "execution": started["executionArn"]}


def _servable(event: dict[str, Any], *, ledger: Ledger, sagemaker: Any, group: str, stages: Sequence[str]) -> str:
    """The version that is asked for, or the last one that may serve of those that served before."""
    quarantined = ledger.quarantined()
    candidates = [event["version"]] if event["action"] == "pin" else served_before(ledger)
    for version in candidates:
        found = desired_version(sagemaker, group=group, quarantined=quarantined, pinned=version, stages=stages)
        if found is not None and found["version"] == version:
            return version
    if event["action"] == "pin":
        raise MayNotServe(
            f"version {event['version']} of {group} may not serve: it is not approved, or it is quarantined; "
            "`baton status` shows which versions are approved"
        )
    raise MayNotServe(f"no earlier version of {group} has served that may serve now; reject the version that serves")


def served_before(ledger: Ledger) -> list[str]:
    """Versions with a lower number than the one that serves, those first that served last.

    Lower, so that going back twice goes further back and not forth again.
    """
    serving = ledger.current().get("version")
    if serving is None:
        raise MayNotServe("nothing serves, so there is nothing to go back from")
    lines = [line["version"] for line in reversed(ledger.history()) if line["kind"] == "served"]
    return [version for version in dict.fromkeys(lines) if int(version) < int(serving)]
