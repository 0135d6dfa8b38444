"""What the reconcile workflow moves, and what it may look at while it does."""

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class ServingTarget:
    """One model's serving stack, as the workflow sees it.

    Args:
        stack_name: The stack whose version parameters the workflow sets.
        kind: What serves there: a kind of endpoint, or a batch.
        endpoint_name: The endpoint in it.
        endpoint_arn: The same, for permissions.
        instance_type: On what it shall run; None where no parameter of the stack says so.
        deployment_limit: What SageMaker may take to move the endpoint to another version.
    """

    stack_name: str
    kind: str
    endpoint_name: str
    endpoint_arn: str
    instance_type: str | None
    deployment_limit: cdk.Duration

    def stack_arn(self, scope: Construct) -> str:
        """The ARN of the stack, whichever id it has: it may have been deleted and deployed again."""
        return cdk.Stack.of(scope).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{self.stack_name}/*"
        )
