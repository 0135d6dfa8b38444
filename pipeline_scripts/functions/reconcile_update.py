"""Third step: ask CloudFormation for the version, by the serving stack's parameters and nothing else."""

import hashlib
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import RUN, TARGET, objects, takes
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_stack import NOTHING, VERSION_PARAMETERS, ServingStack, read_stack

logger = Logger(service="reconcile_update")


class StackNeedsAPerson(Exception):
    """The serving stack is in a state that no update leaves."""


EVENT_SCHEMA = objects({**RUN, "target": {"anyOf": [TARGET, {"type": "null"}]}})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `started`, `unchanged`, `busy` (CloudFormation is at work for somebody else) or `late`."""
    state = update(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        stack_name=os.environ["STACK_NAME"],
        execution_role_arn=os.environ["EXECUTION_ROLE_ARN"],
        now=time.time(),
    )
    logger.info("update", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def update(
    event: dict[str, Any], *, ledger: Ledger, cloudformation: Any, stack_name: str, execution_role_arn: str, now: float
) -> dict[str, Any]:
    """Move the stack's version parameters to `event["target"]`, or to none.

    Raises:
        LeaseLost: Another run has taken over.
        StackNeedsAPerson: The stack's state accepts no update.
    """
    ledger.renew(event["execution"])
    if now > event["deadline"]:
        return {**event, "outcome": "late", "reason": f"{stack_name} was busy until the run's time was over"}
    stack = read_stack(cloudformation, stack_name)
    if stack.moving:
        return {**event, "outcome": "busy", "reason": f"{stack_name} is {stack.status}"}
    if not stack.settled:
        raise StackNeedsAPerson(f"{stack_name} is {stack.status}, which no update leaves; repair it in CloudFormation")
    try:
        cloudformation.update_stack(
            StackName=stack_name,
            UsePreviousTemplate=True,
            Parameters=_parameters(stack, event["target"]),
            Capabilities=["CAPABILITY_IAM"],
            RoleARN=execution_role_arn,
            ClientRequestToken=_token(event),
        )
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" in message:
            return {**event, "outcome": "unchanged", "reason": "the stack already asks for this"}
        if "IN_PROGRESS" in message or error.response["Error"]["Code"] == "TokenAlreadyExistsException":
            return {**event, "outcome": "busy", "reason": f"{stack_name} began to move meanwhile"}
        raise
    return {**event, "outcome": "started", "reason": f"{stack_name} is moving"}


def _parameters(stack: ServingStack, target: dict[str, str] | None) -> list[dict[str, Any]]:
    values = (target["package_arn"], target["version"], target["evidence_uri"]) if target else (NOTHING,) * 3
    wanted = dict(zip(VERSION_PARAMETERS, values, strict=True))
    return [
        {"ParameterKey": name, "ParameterValue": wanted[name]}
        if name in wanted
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in stack.parameters
    ]


def _token(event: dict[str, Any]) -> str:
    """The same for a repeated call of one attempt, so that CloudFormation can tell it from a second attempt."""
    return hashlib.sha256(f"{event['execution']} {event['generation']}".encode()).hexdigest()
