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
        answer_prefixes: Below which keys of that zone answers and failures then come to lie; of batches, the first is
            where the model's role may leave the answer to a canary.
        canary_instance_type: The machine of the transform job that answers a canary.
    """

    stack_name: str
    kind: Kind
    endpoint_name: str
    endpoint_arn: str
    deployment_limit: cdk.Duration
    instance_type: str = ""
    max_latency_ms: int | None = None
    canary_prefix: str = ""
    answer_prefixes: Sequence[str] = ()
    canary_instance_type: str = ""

    def __post_init__(self) -> None:
        """Refuse a kind without what its proof needs."""
        in_s3: dict[str, object] = {"canary_prefix": self.canary_prefix, "answer_prefixes": self.answer_prefixes}
        needs: dict[str, dict[str, object]] = {
            "realtime": {"max_latency_ms": self.max_latency_ms},
            "serverless": {"max_latency_ms": self.max_latency_ms},
            "asynchronous": in_s3,
            "batch": {**in_s3, "canary_instance_type": self.canary_instance_type},
        }
        missing = [name for name, value in needs[self.kind].items() if not value]
        if missing:
            raise ValueError(
                f"{self.stack_name}: the proof of a {self.kind} target needs {', '.join(missing)}; state it"
            )

    def stack_arn(self, scope: Construct) -> str:
        """The ARN of the stack, whichever id it has: it may have been deleted and deployed again."""
        return cdk.Stack.of(scope).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{self.stack_name}/*"
        )
