"""Fourth step, repeated: have the stack, and then the endpoint, come to rest, and where?"""

import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import LEAVING, MOVE, RUN, TARGET, TEXT, objects, takes
from pipeline_scripts.functions.reconcile_blame import blame_for_update
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_parameters import next_parameters, wanted_parameters
from pipeline_scripts.functions.reconcile_stack import MISSING, endpoint_to_watch, read_endpoint, read_stack

logger = Logger(service="reconcile_watch")

ENDPOINT_OUTCOMES = {
    "InService": "arrived",
    "Creating": "moving",
    "Updating": "moving",
    "SystemUpdating": "moving",
    "RollingBack": "moving",
    "Deleting": "moving",
    "OutOfService": "broken",
    "Failed": "broken",
    "UpdateRollbackFailed": "broken",
    MISSING: "broken",
}
"""Every state an endpoint has. One that is not here is new to us, and stops the run for a person to look."""

EVENT_SCHEMA = objects(
    {**RUN, **MOVE, "target": {"anyOf": [TARGET, {"type": "null"}]}}, {"beside": LEAVING, "explained": TEXT}
)


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `moving`, `more`, `cleared`, `arrived`, `gone`, whose fault it is that none came, `stuck` or `late`."""
    state = watch(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        stack_name=os.environ["STACK_NAME"],
        endpoint_name=endpoint_to_watch(),
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
    endpoint_name: str | None,
    now: float,
) -> dict[str, Any]:
    """Look once at the stack and, when that is at rest and asks for all that is wanted, at the endpoint.

    Raises:
        LeaseLost: Another run has taken over.
    """
    ledger.renew(event["execution"])
    stack = read_stack(cloudformation, stack_name)
    wanted = wanted_parameters(
        event["target"],
        instance_type=event["instance_type"],
        beside=event.get("beside", ()),
        explained=event.get("explained", ""),
    )
    left = next_parameters(stack.parameters, wanted)
    if stack.moving:
        outcome, reason = "moving", f"{stack_name} is {stack.status}"
    elif stack.stranded or (left and stack.status == "UPDATE_ROLLBACK_COMPLETE"):
        outcome, reason = "broken", _why_rolled_back(cloudformation, stack_name)
    elif not stack.settled:
        outcome, reason = "stuck", f"{stack_name} is {stack.status}; repair it in CloudFormation"
    elif left and event.get("brings") == "nothing":
        outcome, reason = "cleared", f"{stack_name} asks for no version any more"
    elif left:
        outcome, reason = "more", f"{stack_name} is still to have {', '.join(left)} changed"
    elif endpoint_name is None:
        outcome, reason = ("arrived" if event["target"] else "gone"), f"{stack_name} asks for what is wanted"
    else:
        outcome, reason = _endpoint(sagemaker, endpoint_name, expected=event["target"] is not None)
    if outcome == "broken":
        outcome = blame_for_update(event) if event["target"] else "stuck"
    if outcome == "moving" and now > event["deadline"]:
        outcome, reason = "late", f"{reason} and the run's time is over"
    return {**event, "outcome": outcome, "reason": reason}


def _endpoint(sagemaker: Any, name: str, *, expected: bool) -> tuple[str, str]:
    endpoint = read_endpoint(sagemaker, name)
    if expected:
        return ENDPOINT_OUTCOMES.get(endpoint.status, "stuck"), endpoint.said
    return {MISSING: "gone", "Deleting": "moving"}.get(endpoint.status, "broken"), endpoint.said


def _why_rolled_back(cloudformation: Any, stack_name: str) -> str:
    """The first failure of the latest update: the one that made CloudFormation roll back."""
    reason = f"{stack_name} rolled back"
    for event in cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]:  # newest first
        if event["ResourceStatus"].endswith("_FAILED"):
            reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"] == "UPDATE_IN_PROGRESS":
            break
    return reason
