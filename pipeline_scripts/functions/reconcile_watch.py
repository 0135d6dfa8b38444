"""Fourth step, repeated: has the stack, and then the endpoint, come to rest, and where?"""

import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import RUN, TARGET, objects, takes
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_stack import NOTHING, read_stack

logger = Logger(service="reconcile_watch")

ENDPOINT_OUTCOMES = {
    "InService": "arrived",
    "Creating": "moving",
    "Updating": "moving",
    "SystemUpdating": "moving",
    "RollingBack": "moving",
    "Deleting": "moving",
    "OutOfService": "failed",
    "Failed": "failed",
    "UpdateRollbackFailed": "failed",
}
"""Every state an endpoint has. One that is not here is new to us, and stops the run for a person to look."""


EVENT_SCHEMA = objects({**RUN, "target": {"anyOf": [TARGET, {"type": "null"}]}})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `moving`, `arrived`, `gone`, `failed` (the version's fault), `stuck` (needs a person) or `late`."""
    state = watch(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        stack_name=os.environ["STACK_NAME"],
        endpoint_name=os.environ["ENDPOINT_NAME"],
        now=time.time(),
    )
    logger.info("watched", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def watch(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    cloudformation: Any,
    sagemaker: Any,
    stack_name: str,
    endpoint_name: str,
    now: float,
) -> dict[str, Any]:
    """Look once at the stack and, when that is at rest, at the endpoint.

    Raises:
        LeaseLost: Another run has taken over.
    """
    ledger.renew(event["execution"])
    wanted = event["target"]["package_arn"] if event["target"] else NOTHING
    stack = read_stack(cloudformation, stack_name)
    if stack.moving:
        outcome, reason = "moving", f"{stack_name} is {stack.status}"
    elif not stack.settled:
        outcome, reason = "stuck", f"{stack_name} is {stack.status}; repair it in CloudFormation"
    elif stack.package_arn != wanted and stack.status == "UPDATE_ROLLBACK_COMPLETE":
        outcome, reason = "failed", _why_rolled_back(cloudformation, stack_name)
    elif stack.package_arn != wanted:
        outcome, reason = "stuck", f"somebody else set {stack_name} to {stack.package_arn}"
    else:
        outcome, reason = _endpoint(sagemaker, endpoint_name, expected=wanted != NOTHING)
    if outcome == "failed" and wanted == NOTHING:
        outcome = "stuck"  # there is no version to blame for an endpoint that does not go
    if outcome == "moving" and now > event["deadline"]:
        outcome, reason = "late", f"{reason} and the run's time is over"
    return {**event, "outcome": outcome, "reason": reason}


def _endpoint(sagemaker: Any, name: str, *, expected: bool) -> tuple[str, str]:
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return ("failed" if expected else "gone"), f"there is no endpoint {name}"
    status = endpoint["EndpointStatus"]
    reason = f"{name} is {status}" + (f": {endpoint['FailureReason']}" if endpoint.get("FailureReason") else "")
    if not expected and status != "Deleting":
        return "failed", reason
    return ENDPOINT_OUTCOMES.get(status, "stuck"), reason


def _why_rolled_back(cloudformation: Any, stack_name: str) -> str:
    """The first failure of the latest update: the one that made CloudFormation roll back."""
    reason = f"{stack_name} rolled back"
    for event in cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]:  # newest first
        if event["ResourceStatus"].endswith("_FAILED"):
            reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"] == "UPDATE_IN_PROGRESS":
            break
    return reason
