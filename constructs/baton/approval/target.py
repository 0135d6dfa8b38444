"""What the reconcile workflow moves, and what it may look at while it does."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from baton.specification.serving import Kind


@dataclass(frozen=True, kw_only=True)
class ServingTarget:
    """One model's serving stack, as the workflow sees it.

    Args:
        stack_name: The stack whose version parameters the workflow sets.
        kind: How versions are asked, which decides how they are proven.
        endpoint_name: The endpoint in it; of batches, what the ledger calls them.
        endpoint_arn: The same, for permissions.
        instance_type: The machines that versions should be served on; empty where the stack has no parameter for them.
        deployment_limit: What SageMaker may take to move the endpoint to another version.
        max_latency_ms: What is too long for an answer; None where nobody waits for it.
        canary_prefix: Below which key of the monitoring zone the model's role may read a canary, where requests lie
            in S3.
        answer_prefixes: Below which keys of that zone answers and failures then come to lie.
        canary_instance_type: On what a canary is answered, where no endpoint stands ready.
    """

    stack_name: str
    kind: Kind
    endpoint_name: str
    endpoint_arn: str
    instance_type: str
    deployment_limit: cdk.Duration
    max_latency_ms: int | None
    canary_prefix: str = ""
    answer_prefixes: Sequence[str] = ()
    canary_instance_type: str = ""

    def __post_init__(self) -> None:
        """Refuse a kind without what its proof needs."""
        if self.kind in ("realtime", "serverless") and self.max_latency_ms is None:
            raise ValueError(f"{self.stack_name}: a {self.kind} endpoint is proven within max_latency_ms; state it")
        if self.kind in ("asynchronous", "batch") and not (self.canary_prefix and self.answer_prefixes):
            raise ValueError(
                f"{self.stack_name}: {self.kind} requests lie in S3; state canary_prefix and answer_prefixes"
            )

    def stack_arn(self, scope: Construct) -> str:
        """The ARN of the stack, whichever id it has: it may have been deleted and deployed again."""
        return cdk.Stack.of(scope).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{self.stack_name}/*"
        )
