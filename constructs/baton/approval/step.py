"""One step of the reconcile workflow: a function that may do nothing until it is let."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from baton.approval.target import ServingTarget
from baton.foundation.ledger import Ledger
from baton.permissions import allow
from baton.platform import Platform

STACK_NAMES = "The part that varies is the stack's id, which is new whenever the stack is deployed anew."


class Step:
    """A function that knows its target by name, and what it may do with it.

    Args:
        scope: Where it belongs.
        name: `Choose` is made of the handler `reconcile_choose`.
        platform: Keys and notifications.
        target: The serving stack.
        description: What it does, in one sentence.
        handler: The handler, where its name does not follow.
        environment: What it reads beside the names of stack and endpoint.
        minutes: How long it may take.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        platform: Platform,
        target: ServingTarget,
        description: str,
        handler: str = "",
        environment: Mapping[str, str] | None = None,
        minutes: int = 1,
    ) -> None:
        self.handler = platform.handler_function(
            scope,
            name,
            handler=handler or f"reconcile_{name.lower()}",
            description=f"{target.endpoint_name}: {description}",
            environment={
                "STACK_NAME": target.stack_name,
                "ENDPOINT_NAME": target.endpoint_name,
                "SERVING_KIND": target.kind,
                **(environment or {}),
            },
            timeout=cdk.Duration.minutes(minutes),
        )
        self.function: lambda_.Function = self.handler.function
        self.role = self.handler.role
        self._target = target

    def let_remember(self, ledger: Ledger, *actions: str) -> None:
        """Let it do these DynamoDB actions on the ledger."""
        self.function.add_environment("LEDGER_TABLE", ledger.table.table_name)
        ledger.grant(self.role, *actions)

    def let_see_stack(self, *more: str) -> None:
        """Let it describe the serving stack, and do `more` with it."""
        actions = ["cloudformation:DescribeStacks", *more]
        allow(self.role, actions, [self._target.stack_arn(self.handler)], why=STACK_NAMES)

    def let_see_endpoint(self, *more: str) -> None:
        """Let it describe the endpoint, and do `more` with it; where there is none, nothing."""
        if self._target.kind != "batch":
            allow(self.role, ["sagemaker:DescribeEndpoint", *more], [self._target.endpoint_arn])

    def let_move_stack(self, call: str, *, execution_role: iam.IRole) -> None:
        """Let it make one call of CloudFormation's that moves the stack, as that role alone.

        Without the condition, leaving the role out would let CloudFormation act as whoever deployed the stack.
        """
        self.function.add_environment("EXECUTION_ROLE_ARN", execution_role.role_arn)
        allow(
            self.role,
            [f"cloudformation:{call}"],
            [self._target.stack_arn(self.handler)],
            why=STACK_NAMES,
            conditions={"ArnEquals": {"cloudformation:RoleArn": execution_role.role_arn}},
        )
        allow(
            self.role,
            ["iam:PassRole"],
            [execution_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        )
