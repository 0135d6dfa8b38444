"""Before anything else, where an update's roll-back has failed: have CloudFormation go on with it.

No resource is skipped. CloudFormation then believes that a skipped one is what the template says, though it is not: an
endpoint would stay on what just failed, or a monitor be gone, and no later update would mend it (docs/decisions/0021).
"""

import hashlib
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import RUN, objects, takes
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_stack import StackNeedsAPerson, read_stack

logger = Logger(service="reconcile_recover")

MOST_RECOVERIES = 2
"""How often one run has a roll-back continued. The next sweep may try again, and every failed run rings."""

EVENT_SCHEMA = objects({**RUN, "recoveries": {"type": "integer"}})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `continued` while the stack is on its way back, `recovered` when it is at rest, or `late`."""
    state = recover(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        stack_name=os.environ["STACK_NAME"],
        execution_role_arn=os.environ["EXECUTION_ROLE_ARN"],
        now=time.time(),
    )
    logger.info("recovery", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def recover(
    event: dict[str, Any], *, ledger: Ledger, cloudformation: Any, stack_name: str, execution_role_arn: str, now: float
) -> dict[str, Any]:
    """Have the roll-back continued, as often as is allowed, and see whether it has ended.

    Raises:
        LeaseLost: Another run has taken over.
        StackNeedsAPerson: It failed too often.
    """
    ledger.renew(event["execution"])
    stack = read_stack(cloudformation, stack_name)
    if not stack.stranded and not stack.moving:
        return {**event, "outcome": "recovered", "reason": f"{stack_name} is {stack.status}"}
    if now > event["deadline"]:
        return {**event, "outcome": "late", "reason": f"{stack_name} is {stack.status} and the run's time is over"}
    continued = {**event, "outcome": "continued", "reason": f"{stack_name} goes on rolling back"}
    if stack.moving:
        return continued
    if event["recoveries"] >= MOST_RECOVERIES:
        raise StackNeedsAPerson(
            f"{stack_name} is {stack.status} though its roll-back was continued {MOST_RECOVERIES} times; "
            "repair the resource that its events name, then continue the roll-back in CloudFormation"
        )
    try:
        cloudformation.continue_update_rollback(
            StackName=stack_name, RoleARN=execution_role_arn, ClientRequestToken=_token(event)
        )
    except ClientError as error:
        if "IN_PROGRESS" not in error.response["Error"]["Message"]:
            raise
    return {**continued, "recoveries": event["recoveries"] + 1}


def _token(event: dict[str, Any]) -> str:
    """The same for a repeated call of one attempt."""
    attempt = f"{event['execution']} {event['generation']} {event['recoveries']}"
    return hashlib.sha256(attempt.encode()).hexdigest()
