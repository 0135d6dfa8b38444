"""Third step, repeated: ask CloudFormation for the version, by the serving stack's parameters and nothing else."""

import hashlib
import json
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import LEAVING, MOVE, RUN, STANDING, TARGET, TEXT, objects, takes
from pipeline_scripts.functions.reconcile_beside import Beside
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_parameters import (
    EXPLAINED,
    INSTANCE_TYPE,
    NOTHING,
    PACKAGE,
    SCALING,
    next_parameters,
    wanted_parameters,
)
from pipeline_scripts.functions.reconcile_stack import (
    ServingStack,
    StackNeedsAPerson,
    endpoint_to_watch,
    read_endpoint,
    read_stack,
)

logger = Logger(service="reconcile_update")

EVENT_SCHEMA = objects(
    {**RUN, **MOVE, "target": {"anyOf": [TARGET, {"type": "null"}]}},
    {"attempt": {"type": "integer"}, "standing": STANDING, "beside": LEAVING, "explained": TEXT},
)


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `started`, `unchanged`, `busy` (CloudFormation is at work for somebody else) or `late`."""
    state = update(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        stack_name=os.environ["STACK_NAME"],
        endpoint_name=endpoint_to_watch(),
        execution_role_arn=os.environ["EXECUTION_ROLE_ARN"],
        now=time.time(),
    )
    logger.info("update", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def update(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    cloudformation: Any,
    sagemaker: Any,
    stack_name: str,
    endpoint_name: str | None,
    execution_role_arn: str,
    now: float,
) -> dict[str, Any]:
    """Move the stack's parameters one step towards `event["target"]`, or towards none.

    Raises:
        LeaseLost: Another run has taken over.
        StackNeedsAPerson: The stack's state accepts no update.
    """
    ledger.renew(event["execution"])
    if now > event["deadline"]:
        return {**event, "outcome": "late", "reason": f"{stack_name} was busy until the run's time was over"}
    stack = read_stack(cloudformation, stack_name)
    if stack.moving:
        return _busy(event, f"{stack_name} is {stack.status}")
    if not stack.settled:
        raise StackNeedsAPerson(f"{stack_name} is {stack.status}, which no update leaves; repair it in CloudFormation")
    beside = Beside.of(event)
    if stack.package_arn == NOTHING:
        beside = beside.making_way(stack.parameters)
    event = {**event, **beside.state}
    wanted = wanted_parameters(
        event["target"],
        instance_type=event["instance_type"],
        beside=event["beside"],
        explained=event.get("explained", ""),
    )
    lost = _lost(sagemaker, endpoint_name, stack=stack)
    step = next_parameters(stack.parameters, wanted, lost=lost)
    if not step:
        return {**event, "outcome": "unchanged", "reason": "the stack already asks for this"}
    try:
        cloudformation.update_stack(
            StackName=stack_name,
            UsePreviousTemplate=True,
            Parameters=_parameters(stack, step),
            Capabilities=["CAPABILITY_IAM"],
            RoleARN=execution_role_arn,
            ClientRequestToken=_token(event, step),
        )
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "IN_PROGRESS" in message or error.response["Error"]["Code"] == "TokenAlreadyExistsException":
            return _busy(event, f"{stack_name} began to move meanwhile")
        raise
    reason = f"{stack_name} is moving to {_said(step)}"
    return {**event, "brings": _what(step), "outcome": "started", "reason": reason}


def _lost(sagemaker: Any, endpoint_name: str | None, *, stack: ServingStack) -> bool:
    served = endpoint_name is not None and stack.package_arn != NOTHING
    return served and read_endpoint(sagemaker, str(endpoint_name)).lost


def _busy(event: dict[str, Any], reason: str) -> dict[str, Any]:
    return {**event, "attempt": event.get("attempt", 0) + 1, "outcome": "busy", "reason": reason}


def _parameters(stack: ServingStack, step: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"ParameterKey": name, "ParameterValue": step[name]}
        if name in step
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in stack.parameters
    ]


def _what(step: dict[str, str]) -> str:
    """What an update brings, for whoever must say later what it failed of."""
    if PACKAGE in step:
        return "nothing" if step[PACKAGE] == NOTHING else "version"
    if INSTANCE_TYPE in step:
        return "machines"
    if EXPLAINED in step:
        return "explainer"
    return "scaling" if set(step) == {SCALING} else "beside"


def _said(step: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in step.items())


def _token(event: dict[str, Any], step: dict[str, str]) -> str:
    """The same for a repeated call of one attempt, so that CloudFormation can tell it from a second attempt."""
    attempt = [event["execution"], event["generation"], event.get("attempt", 0), sorted(step.items())]
    return hashlib.sha256(json.dumps(attempt).encode()).hexdigest()
