"""The way to a table of DynamoDB."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.etl.source_access import SourceAccess, assume
from baton.foundation.network import PrivateNetwork
from baton.permissions import allow


class DynamoDbAccess(SourceAccess):
    """One table of DynamoDB, read by scans; IAM is its only login.

    Args:
        table_name: The table.
        network: The network the workers run in; its gateway endpoint leads to DynamoDB.
        role_arn: The role to read as, where the table is another account's. That account says what the role may do.
        key_arn: The customer-managed key of a table of this account, if it has one.

    See:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table_name: str,
        network: PrivateNetwork,
        role_arn: str | None = None,
        key_arn: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            engine="dynamodb",
            place={} if role_arn is None else {"role": role_arn},
            network=network,
        )
        self._table_name = table_name
        self._role_arn = role_arn
        self._key_arn = key_arn

    def grant_read(self, role: iam.Role) -> None:
        """Let `role` describe and scan this table, or become the role that may."""
        super().grant_read(role)
        if self._role_arn is not None:
            assume(role, self._role_arn)
            return
        stack = cdk.Stack.of(self)
        table = stack.format_arn(service="dynamodb", resource="table", resource_name=self._table_name)
        allow(role, ["dynamodb:DescribeTable", "dynamodb:Scan"], [table])
        if self._key_arn is not None:
            decrypt = {"StringEquals": {"kms:ViaService": f"dynamodb.{stack.region}.amazonaws.com"}}
            allow(role, ["kms:Decrypt"], [self._key_arn], conditions=decrypt)
