"""The endpoint that Clarify starts to ask a model, and deletes again."""

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

ACTIONS: Sequence[str] = (
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:InvokeEndpoint",
)
"""What the role that Clarify runs as does to it."""


def shadow_endpoints(scope: Construct) -> list[str]:
    """The ARNs of all that there may be in the stack's account, and of their configurations."""
    stack = cdk.Stack.of(scope)
    return [
        stack.format_arn(service="sagemaker", resource=kind, resource_name="sm-clarify-*")
        for kind in ("endpoint", "endpoint-config")
    ]
