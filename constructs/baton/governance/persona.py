"""A kind of person, as a role."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.governance.bounded_role import BoundedRole, Duty
from baton.registry.approval_rule import PERSONA_TAG


class Persona(BoundedRole):
    """A role that a person with the right tag puts on for an hour, after proving who they are with a second factor.

    Users of the account carry one tag, `baton-persona`; as a tag has one value, nobody is two personas, and nobody who
    wrote a model also approves it. The role bears the same tag, so policies elsewhere can tell its sessions apart.

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
            trust=iam.AccountRootPrincipal().with_conditions(
                {
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                    "StringEquals": {f"aws:PrincipalTag/{PERSONA_TAG}": name},
                }
            ),
            duties=duties,
            denied=denied,
        )
        cdk.Tags.of(self.role).add(PERSONA_TAG, name)
