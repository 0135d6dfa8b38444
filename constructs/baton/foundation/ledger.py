"""The ledger of a workflow: what happened, and who may act now."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from baton.permissions import allow


class Ledger(Construct):
    """One encrypted, recoverable table, with one partition for whatever it is about.

    Args:
        partition_key: What it is about, such as `endpoint`.
        sort_key: What tells the items of one partition apart.
        key: Encrypts the table.
        removal_policy: What becomes of it when it leaves the template.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: str,
        sort_key: str,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.table = dynamodb.Table(
            self,
            "Resource",
            partition_key=dynamodb.Attribute(name=partition_key, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=sort_key, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=removal_policy == RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
        )

    def grant(self, role: iam.Role, *actions: str) -> None:
        """Let `role` do these DynamoDB actions, such as `UpdateItem`, and nothing more."""
        allow(role, [f"dynamodb:{action}" for action in actions], [self.table.table_arn])
        allow(role, ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"], [self._key.key_arn])
