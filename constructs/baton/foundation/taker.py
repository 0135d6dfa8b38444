"""The environments that take their versions from another's registry."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam


@dataclass(frozen=True, kw_only=True)
class Taker:
    """One of them, as the registry's environment sees it.

    Args:
        environment: Its name, which is also the stage that a version must be approved for.
        account: Its account; None where it is the registry's own, whose roles need no grant but their own.
        after: The stage whose approval has to come first; None where the registry's own verdict suffices.
    """

    environment: str
    account: str | None = None
    after: str | None = None

    @property
    def foreign(self) -> bool:
        """Whether it lies in another account."""
        return self.account is not None

    @property
    def sid(self) -> str:
        """Its name, as a statement's id begins with it."""
        return self.environment.capitalize()

    def roles(self, *others: str) -> iam.IPrincipal:
        """The roles of the environment's stacks, of its account and of no other.

        CloudFormation names roles after their stack, so the principal is the account and a condition holds it to these.

        Args:
            others: The names of further roles of that account.

        Raises:
            ValueError: It lies in the registry's own account.
        """
        if self.account is None:
            raise ValueError(f"{self.environment} lies in the registry's own account and needs no grant")
        names = (f"baton-{self.environment}-*", *others)
        roles = [f"arn:{cdk.Aws.PARTITION}:iam::{self.account}:role/{name}" for name in names]
        return iam.AccountPrincipal(self.account).with_conditions({"ArnLike": {"aws:PrincipalArn": roles}})


def in_other_accounts(takers: Sequence[Taker]) -> list[Taker]:
    """Those of the environments that the policies of keys, buckets and groups have to admit."""
    return [taker for taker in takers if taker.foreign]
