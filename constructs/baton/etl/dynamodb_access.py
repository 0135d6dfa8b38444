"""The way to a table of DynamoDB."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.etl.iam_access import IamAccess
from baton.foundation.network import PrivateNetwork
from baton.permissions import allow


class DynamoDbAccess(IamAccess):
    """One table of DynamoDB, read by scans.

    Args:
        table_name: The table.
        network: The network the workers run in.
        role_arn: The role to read as, where the table is another account's.
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
            scope, construct_id, engine="dynamodb", place={}, network=network, role_arn=role_arn, key_arn=key_arn
        )
        self._table_name = table_name

    def _grant_read_itself(self, role: iam.Role) -> None:
        table = cdk.Stack.of(self).format_arn(service="dynamodb", resource="table", resource_name=self._table_name)
        allow(role, ["dynamodb:DescribeTable", "dynamodb:Scan"], [table])
