"""Permissions, and why some of them end in a wildcard, in the words that cdk-nag reports it in."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def allow(
    role: iam.Role,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    why: str = "",
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Let `role` do `actions` on `resources`; `why` is the reason where one of these is a pattern."""
    role.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    )
    acknowledge_wildcards(role, resources, reason=why)


def acknowledge_wildcards(holder: IConstruct, resources: Sequence[str], *, reason: str) -> None:
    """Acknowledge, for a role or a policy, one finding for each of `resources` with a wildcard; others need none."""
    written = [as_reported(cdk.Stack.of(holder), resource) for resource in resources]
    for resource in written:
        if "*" in resource:
            finding = f"AwsSolutions-IAM5[Resource::{resource}]"
            Validations.of(holder).acknowledge(Acknowledgment(id=finding, reason=reason))


def as_reported(stack: cdk.Stack, resource: str) -> str:
    """A resource as it will stand in a finding about `stack`.

    References are written `<LogicalId.Attribute>`, and those to another stack by the name of its export. That name is
    given during synthesis, after the acknowledgements; asking for the export here gives the same one earlier.
    """
    for token in cdk.Tokenization.reverse_string(resource).tokens:
        if not isinstance(token, cdk.Reference):
            continue
        owner = cdk.Stack.of(token.target)
        if owner is not stack:
            resource = resource.replace(cdk.Token.as_string(token), owner.export_value(token))
    return _flatten(stack.resolve(resource))


def _flatten(resolved: Any) -> str:
    if isinstance(resolved, str):
        return resolved.replace("${", "<").replace("}", ">")
    [(function, argument)] = resolved.items()
    if function == "Fn::Join":
        return str(argument[0]).join(_flatten(part) for part in argument[1])
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    return f"<{argument}>" if function == "Ref" else _flatten(argument)
