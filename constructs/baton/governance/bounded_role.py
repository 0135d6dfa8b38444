"""A role that does what its duties say, and can never do more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.permissions import acknowledge_wildcards


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Something a persona does: the calls, on what, under which conditions.

    `why_wildcard` answers the reviewer where a resource holds a wildcard; such a duty cannot do without it.
    """

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, Any]] | None = None
    why_wildcard: str = ""

    @property
    def statement(self) -> iam.PolicyStatement:
        """This duty as IAM reads it."""
        return iam.PolicyStatement(
            actions=list(self.actions), resources=list(self.resources), conditions=self.conditions
        )


class BoundedRole(Construct):
    """A role with duties, and a boundary that names exactly their calls.

    So whatever is attached to the role later, even AdministratorAccess, gives it no other call; and what `denied`
    denies, no policy gives back.

    Args:
        description: What the role is for, in one sentence.
        trust: Who may put it on.
        duties: What it may do.
        denied: What it may never do.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        trust: iam.IPrincipal,
        duties: Sequence[Duty],
        denied: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Resource",
            description=description,
            assumed_by=trust,
            max_session_duration=cdk.Duration.hours(1),
            permissions_boundary=self._boundary(duties, denied),
        )
        for duty in duties:
            self.role.add_to_policy(duty.statement)
            acknowledge_wildcards(self.role, duty.resources, reason=duty.why_wildcard)

    def _boundary(self, duties: Sequence[Duty], denied: Sequence[iam.PolicyStatement]) -> iam.ManagedPolicy:
        boundary = iam.ManagedPolicy(
            self,
            "Boundary",
            description="The most that this role can ever do",
            statements=[
                iam.PolicyStatement(
                    actions=sorted({action for duty in duties for action in duty.actions}), resources=["*"]
                ),
                *denied,
            ],
        )
        Validations.of(boundary).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="A boundary grants nothing: it lists the calls, and the role's own policy names the resources.",
            )
        )
        return boundary
