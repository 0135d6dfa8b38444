"""First step of the reconcile workflow: which version should serve, and does it already?

The event that started the run is only a hint. What counts is read here: the registry, the ledger and the stack.
"""

import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import TEXT, objects, takes
from pipeline_scripts.functions.json_object import canonical
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_stack import NOTHING, ServingStack, read_stack

logger = Logger(service="reconcile_choose")

ROUNDS = 5
"""How often a run that finds nothing to do looks again because somebody called meanwhile."""


EVENT_SCHEMA = objects({"execution": TEXT}, {"deadline": {"type": "integer"}})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the endpoint's lock and decide: deploy, withdraw, settled or busy."""
    state = choose(
        event,
        ledger=open_ledger(),
        sagemaker=boto3.client("sagemaker"),
        cloudformation=boto3.client("cloudformation"),
        group=os.environ["MODEL_PACKAGE_GROUP"],
        stack_name=os.environ["STACK_NAME"],
        deadline=time.time() + int(os.environ["LIMIT_SECONDS"]),
    )
    logger.info("chosen", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def choose(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    sagemaker: Any,
    cloudformation: Any,
    group: str,
    stack_name: str,
    deadline: float,
) -> dict[str, Any]:
    """Decide what this run does.

    Args:
        event: The workflow's state: `execution` owns the lock; `deadline` is kept when the run comes back here.
        ledger: The endpoint's ledger.
        sagemaker: Reads the registry.
        cloudformation: Reads the serving stack.
        group: The model package group whose versions may serve.
        stack_name: The serving stack.
        deadline: When a run that starts now must have ended, in seconds since the epoch.

    Returns:
        The state with `outcome`, `reason`, `generation`, and the `target` version (None when nothing should serve).
    """
    state = {"execution": event["execution"], "deadline": event.get("deadline", int(deadline))}
    for _ in range(ROUNDS):
        generation = ledger.acquire(event["execution"])
        if generation is None:
            return {**state, "outcome": "busy", "reason": "another run is changing this endpoint and will look again"}
        target = desired_version(sagemaker, group=group, quarantined=ledger.quarantined())
        outcome, reason = decide(target, stack=read_stack(cloudformation, stack_name), proven=ledger.current())
        if outcome != "settled" or ledger.finish(event["execution"], generation):
            return {**state, "generation": generation, "target": target, "outcome": outcome, "reason": reason}
    raise TimeoutError(f"{group}: approvals kept changing through {ROUNDS} readings; the next sweep decides")


def decide(target: dict[str, str] | None, *, stack: ServingStack, proven: dict[str, str]) -> tuple[str, str]:
    """Compare what should serve with what does: an outcome and its reason."""
    if target is None:
        if stack.package_arn == NOTHING and not stack.moving and not proven:
            return "settled", "no version is approved and none serves"
        return "withdraw", "no approved version is left that may serve"
    if stack.package_arn == target["package_arn"] == proven.get("package_arn") and stack.settled:
        return "settled", f"version {target['version']} already serves"
    return "deploy", f"version {target['version']} is the highest approved one"


def desired_version(sagemaker: Any, *, group: str, quarantined: set[str]) -> dict[str, str] | None:
    """The highest version that is approved and not quarantined, with what the later steps need to know of it."""
    approved = [
        package
        for page in sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, ModelApprovalStatus="Approved"
        )
        for package in page["ModelPackageSummaryList"]
        if package["ModelPackageStatus"] == "Completed" and package["ModelPackageArn"] not in quarantined
    ]
    for summary in sorted(approved, key=lambda package: int(package["ModelPackageVersion"]), reverse=True):
        package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        if package["ModelApprovalStatus"] == "Approved":  # the list may lag behind a rejection
            return target_of(package)
    return None


def target_of(package: dict[str, Any]) -> dict[str, str]:
    """What the registry says of a version, flat and complete: what it lacks is empty."""
    properties = package.get("CustomerMetadataProperties", {})
    [container] = package["InferenceSpecification"]["Containers"]
    return {
        "package_arn": package["ModelPackageArn"],
        "version": str(package["ModelPackageVersion"]),
        "evidence_uri": properties.get("evidence_uri", ""),
        "artifact_uri": container.get("ModelDataUrl", ""),
        "artifact_sha256": properties.get("artifact_sha256", ""),
        "image": container.get("Image", ""),
        "container_environment": canonical(container.get("Environment", {})),
        "evidence_sha256": properties.get("evidence_sha256", ""),
        "execution": properties.get("pipeline_execution", ""),
        "dataset_hash": properties.get("dataset_hash", ""),
        "commit": properties.get("commit", ""),
        "author": properties.get("author", ""),
        "approver": package.get("LastModifiedBy", {}).get("UserProfileName")
        or package.get("LastModifiedBy", {}).get("IamIdentity", {}).get("Arn", "unknown"),
        "approval_note": package.get("ApprovalDescription", ""),
    }
