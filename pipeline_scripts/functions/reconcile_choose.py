"""First step of the reconcile workflow: which version should serve, and does it already?

The event that started the run is only a hint. What counts is read here: registry, ledger, stack and endpoint.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import TEXT, TOLD_OF_A_VERSION, objects, takes
from pipeline_scripts.functions.reconcile_beside import versions_beside
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_machines import machines_to_ask_for, machines_to_return_to
from pipeline_scripts.functions.reconcile_parameters import (
    NOTHING,
    lacks_inputs,
    next_parameters,
    wanted_parameters,
)
from pipeline_scripts.functions.reconcile_situation import Situation, decide, is_in_place
from pipeline_scripts.functions.reconcile_stack import (
    endpoint_to_watch,
    read_endpoint,
    read_stack,
)
from pipeline_scripts.functions.reconcile_target import target_of
from pipeline_scripts.functions.stages import approved_for, stages_of

logger = Logger(service="reconcile_choose")

ROUNDS = 5
"""How often a run that finds nothing to do looks again because somebody called meanwhile."""

EVENT_SCHEMA = objects({"execution": TEXT}, {"deadline": {"type": "integer"}, "recoveries": {"type": "integer"}})


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the endpoint follows, as this function's environment says it.

    Args:
        group: The model package group whose versions may serve.
        stack_name: The serving stack.
        endpoint_name: The endpoint in it; None where versions are served in batches.
        instance_type: The machines that versions should be served on; empty where the stack alone decides.
        when_none_approved: `withdraw` takes the endpoint out of service, `keep` leaves what was proven last.
        stages: The stage that a version must be approved for, and those after it; none where the registry is this
            environment's own.
    """

    group: str
    stack_name: str
    endpoint_name: str | None
    instance_type: str
    when_none_approved: str
    stages: Sequence[str] = ()


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the endpoint's lock and decide: deploy, withdraw, kept, settled; or moving, stranded, busy."""
    state = choose(
        event,
        ledger=open_ledger(),
        sagemaker=boto3.client("sagemaker"),
        cloudformation=boto3.client("cloudformation"),
        rules=Rules(
            group=os.environ["MODEL_PACKAGE_GROUP"],
            stages=stages_of(os.environ),
            stack_name=os.environ["STACK_NAME"],
            endpoint_name=endpoint_to_watch(),
            instance_type=os.environ["INSTANCE_TYPE"],
            when_none_approved=os.environ["WHEN_NONE_APPROVED"],
        ),
        now=time.time(),
        limit_seconds=int(os.environ["LIMIT_SECONDS"]),
    )
    logger.info("chosen", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def choose(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    sagemaker: Any,
    cloudformation: Any,
    rules: Rules,
    now: float,
    limit_seconds: int,
) -> dict[str, Any]:
    """Decide what this run does.

    Args:
        event: The workflow's state: `execution` owns the lock; the rest is kept when the run comes back here.
        ledger: The endpoint's ledger.
        sagemaker: Reads the registry and the endpoint.
        cloudformation: Reads the serving stack.
        rules: What the endpoint follows.
        now: Seconds since the epoch.
        limit_seconds: How long a run may take; one that comes back here keeps the deadline that it had.

    Returns:
        The state with `outcome`, `reason`, `generation`, the `target` version (None when nothing should serve), the
        `instance_type` for it, the versions `standing` beside it, and by parameter in `beside` why others there have to
        go, whether it was `proven_before`, the `previous_type` to return to if its machines are on trial, and in
        `chosen` why it is this version.
    """
    state = {
        "execution": event["execution"],
        "deadline": event.get("deadline", int(now) + limit_seconds),
        "recoveries": event.get("recoveries", 0),
    }
    for _ in range(ROUNDS):
        generation = ledger.acquire(event["execution"])
        if generation is None:
            return {**state, "outcome": "busy", "reason": "another run is changing this endpoint and will look again"}
        pin = ledger.pin()
        found = _look(ledger, sagemaker, cloudformation, rules, pinned=pin.get("version", ""))
        outcome, reason = decide(found)
        if outcome == "moving" and now > state["deadline"]:
            outcome = "late"
        if outcome != "settled" or ledger.finish(event["execution"], generation):
            return {
                **state,
                "generation": generation,
                "target": found.target,
                "instance_type": found.instance_type,
                "standing": dict(found.beside.standing),
                "beside": dict(found.beside.leaving),
                "previous_type": found.previous_type,
                "proven_before": found.proven_before,
                "chosen": _why(found, pinned=pin.get("version", "")),
                "outcome": outcome,
                "reason": reason,
            }
    raise TimeoutError(f"{rules.group}: approvals kept changing through {ROUNDS} readings; the next sweep decides")


def desired_version(
    sagemaker: Any, *, group: str, quarantined: set[str], pinned: str = "", stages: Sequence[str] = ()
) -> dict[str, str] | None:
    """The highest version that is approved and not quarantined, with what the later steps need to know of it.

    A `pinned` version comes before any other, as long as it is approved and not quarantined itself.

    Args:
        sagemaker: Reads the registry.
        group: The model package group whose versions may serve.
        quarantined: Package ARNs that may not.
        pinned: The number of the version that a person chose, if any.
        stages: The stage that a version must be approved for, and those after it; none where the registry is this
            environment's own.
    """
    approved = [
        package
        for page in sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, ModelApprovalStatus="Approved"
        )
        for package in page["ModelPackageSummaryList"]
        if package["ModelPackageStatus"] == "Completed" and package["ModelPackageArn"] not in quarantined
    ]

    def rank(package: dict[str, Any]) -> tuple[bool, int]:
        return str(package["ModelPackageVersion"]) == pinned, int(package["ModelPackageVersion"])

    for summary in sorted(approved, key=rank, reverse=True):
        package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        # The list may lag behind a rejection.
        if package["ModelApprovalStatus"] == "Approved" and approved_for(package, stages):
            return target_of(package, staged=bool(stages))
    return None


def _look(ledger: Ledger, sagemaker: Any, cloudformation: Any, rules: Rules, *, pinned: str) -> Situation:
    proven = ledger.current()
    quarantined = ledger.quarantined()
    target = desired_version(sagemaker, group=rules.group, quarantined=quarantined, pinned=pinned, stages=rules.stages)
    kept = target is None and rules.when_none_approved == "keep" and bool(proven)
    if kept:
        target = _as_it_was(proven)
    stack = read_stack(cloudformation, rules.stack_name)
    moves = stack.package_arn != NOTHING and not is_in_place(target, stack=stack, proven=proven)
    unfit = ledger.unfit()
    instance_type = machines_to_ask_for(rules.instance_type, has=stack.instance_type, unfit=unfit, version_moves=moves)
    beside = versions_beside(stack.parameters, sagemaker=sagemaker, quarantined=quarantined, stages=rules.stages)
    wanted = wanted_parameters(target, instance_type=instance_type, beside=beside.leaving)
    served = rules.endpoint_name if stack.package_arn != NOTHING else None
    return Situation(
        target=target,
        kept=kept,
        instance_type=instance_type,
        beside=beside,
        previous_type=machines_to_return_to(instance_type, proven=ledger.proven_machines(), unfit=unfit),
        proven=proven,
        stack=stack,
        endpoint=None if served is None else read_endpoint(sagemaker, served),
        left=bool(next_parameters(stack.parameters, wanted)) or lacks_inputs(stack.parameters),
    )


def _as_it_was(proven: dict[str, str]) -> dict[str, str]:
    """The version that was proven to serve, as the registry told it when it was approved."""
    renamed = {**proven, "execution": proven.get("pipeline_execution", "")}
    return {name: renamed.get(name, "") for name in TOLD_OF_A_VERSION}


def _why(found: Situation, *, pinned: str) -> str:
    if found.target is None:
        return "no version is approved that may serve"
    version = found.target["version"]
    if found.kept:
        return f"no version is approved any more, and version {version} is kept"
    if version == pinned:
        return f"version {version} is pinned"
    rule = f"version {version} is the highest that is approved and not quarantined"
    return f"{rule}; version {pinned} is pinned, but is not" if pinned else rule
