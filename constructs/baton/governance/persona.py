"""A kind of person, as a role."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.governance.bounded_role import BoundedRole, Duty
from baton.registry.approval_rule import PERSONA_TAG


class Persona(BoundedRole):
    """A role that a person with the right tag puts on for an hour, after proving who they are with a second factor.

    Users of the account carry one tag, `baton-persona`; as a tag has one value, nobody is two personas, and nobody who
    wrote a model also approves it. The role bears the same tag, so policies elsewhere can tell its sessions apart.

    A session bears the user's own name, and so may its source identity, which stays through every further role:
    CloudTrail says who it was, and reconcile compares that name with the author's. A session brings no tags of its own,
    for one of them could be another persona's.

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
        super().__init__(
            scope,
            construct_id,
            description=description,
            trust=iam.AccountRootPrincipal().with_conditions(_as_oneself(name, "sts:RoleSessionName")),
            duties=duties,
            denied=denied,
        )
        trust = self.role.assume_role_policy
        assert trust is not None
        trust.add_statements(
            iam.PolicyStatement(
                actions=["sts:SetSourceIdentity"],
                principals=[iam.AccountRootPrincipal()],
                conditions=_as_oneself(name, "sts:SourceIdentity"),
            )
        )
        cdk.Tags.of(self.role).add(PERSONA_TAG, name)


def _as_oneself(persona: str, named_by: str) -> dict[str, Any]:
    """A user of this persona, with a second factor, under no other name than their own."""
    return {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "StringEquals": {f"aws:PrincipalTag/{PERSONA_TAG}": persona, named_by: "${aws:username}"},
    }
