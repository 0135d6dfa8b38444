"""The way to a source that IAM alone opens: as the job itself, or as a role that another account lends."""

from abc import abstractmethod
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.etl.source_access import SourceAccess
from baton.foundation.network import PrivateNetwork
from baton.permissions import allow


class IamAccess(SourceAccess):
    """A source of AWS's own, without a login.

    Args:
        engine: What kind of source it is; also the service that its key is used through.
        place: Where it is, by the keys of the configuration.
        network: The network the workers run in; its gateway endpoint leads to the service.
        role_arn: The role to read as, where the source is another account's. That account says what the role may do.
        key_arn: The customer-managed key of a source of this account, if it has one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        engine: str,
        place: Mapping[str, str | int],
        network: PrivateNetwork,
        role_arn: str | None,
        key_arn: str | None,
    ) -> None:
        lent = {} if role_arn is None else {"role": role_arn}
        super().__init__(scope, construct_id, engine=engine, place={**place, **lent}, network=network)
        self._role_arn = role_arn
        self._key_arn = key_arn

    def grant_read(self, role: iam.Role) -> None:
        """Let `role` read the source with its key, or become the role that may."""
        super().grant_read(role)
        if self._role_arn is not None:
            allow(role, ["sts:AssumeRole"], [self._role_arn])
            return
        self._grant_read_itself(role)
        if self._key_arn is not None:
            service = f"{self.engine}.{cdk.Stack.of(self).region}.amazonaws.com"
            allow(role, ["kms:Decrypt"], [self._key_arn], conditions={"StringEquals": {"kms:ViaService": service}})

    @abstractmethod
    def _grant_read_itself(self, role: iam.Role) -> None:
        """Let `role` read what lies in this account."""
