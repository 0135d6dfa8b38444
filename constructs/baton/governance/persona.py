"""A kind of person, as a role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.permissions import acknowledge_wildcards
from baton.registry.approval_rule import PERSONA_TAG


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


class Persona(Construct):
    """A role that a person with the right tag puts on for an hour, after proving who they are with a second factor.

    Users of the account carry one tag, `baton-persona`; as a tag has one value, nobody is two personas, and nobody who
    wrote a model also approves it. The role bears the same tag, so policies elsewhere can tell its sessions apart.

    The boundary names exactly the calls of the duties. So whatever is attached to the role later, even
    AdministratorAccess, gives it no other call; and what `denied` denies, no policy gives back.

    Args:
        name: The value of the tag.
        description: What the persona does, in one sentence.
        duties: What they may do.
        denied: What they may never do.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        duties: Sequence[Duty],
        denied: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Resource",
            description=description,
            assumed_by=iam.AccountRootPrincipal().with_conditions(
                {
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                    "StringEquals": {f"aws:PrincipalTag/{PERSONA_TAG}": name},
                }
            ),
            max_session_duration=cdk.Duration.hours(1),
            permissions_boundary=self._boundary(duties, denied),
        )
        cdk.Tags.of(self.role).add(PERSONA_TAG, name)
        for duty in duties:
            self.role.add_to_policy(duty.statement)
            acknowledge_wildcards(self.role, duty.resources, reason=duty.why_wildcard)

    def _boundary(self, duties: Sequence[Duty], denied: Sequence[iam.PolicyStatement]) -> iam.ManagedPolicy:
        boundary = iam.ManagedPolicy(
            self,
            "Boundary",
            description="The most that this persona can ever do",
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
