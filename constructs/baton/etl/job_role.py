"""What the ETL job may do."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from baton.etl.source_connection import SourceConnection
from baton.permissions import acknowledge_wildcards
from baton.platform import Platform

USE_KEY = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
NO_RESOURCE = "IAM defines no resource for these calls; they describe, or a condition bounds them to Glue's metrics."
LOG_GROUPS = "/aws-glue/jobs*"


class EtlJobRole(Construct):
    """The role of one model's ETL job: reads one database, writes one model's prefixes.

    It is the only role of the platform that reads the vault and the pseudonym key.

    Args:
        platform: The environment's foundation.
        prefix: The model's prefix in every zone.
        connection: The database it reads.
        pseudonym_key: The key of its keyed hashes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        prefix: str,
        connection: SourceConnection,
        pseudonym_key: secretsmanager.ISecret,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Resource", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        self._read_source(connection, pseudonym_key)
        zones = platform.zones
        self._work_below(zones.curated, prefix, ["s3:GetObject", "s3:PutObject"])
        self._work_below(zones.vault, prefix, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
        self._work_below(zones.raw, prefix, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
        keys = platform.keys
        self._allow(USE_KEY, [keys.data.key_arn, keys.vault.key_arn, keys.operations.key_arn])
        self._join_network(platform)
        self._tell()

    def _allow(
        self,
        actions: list[str],
        resources: list[str],
        conditions: dict[str, dict[str, object]] | None = None,
        *,
        why_wildcard: str = "",
    ) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))
        acknowledge_wildcards(self.role, resources, reason=why_wildcard)

    def _read_source(self, connection: SourceConnection, pseudonym_key: secretsmanager.ISecret) -> None:
        stack = cdk.Stack.of(self)
        self._allow(
            ["glue:GetConnection"],
            [
                stack.format_arn(service="glue", resource="catalog"),
                stack.format_arn(service="glue", resource="connection", resource_name=connection.connection_name),
            ],
        )
        self._allow(
            ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            [connection.secret.secret_arn, pseudonym_key.secret_arn],
        )

    def _work_below(self, bucket: s3.IBucket, prefix: str, actions: list[str]) -> None:
        self._allow(["s3:ListBucket"], [bucket.bucket_arn], {"StringLike": {"s3:prefix": [f"{prefix}/*"]}})
        self._allow(
            actions,
            [bucket.arn_for_objects(f"{prefix}/*")],
            why_wildcard="A run writes any number of files; the prefix bounds them to this model's.",
        )

    def _join_network(self, platform: Platform) -> None:
        """Glue puts a network interface for each worker into the subnet, acting as this role."""
        stack = cdk.Stack.of(self)

        def arn(resource: str, name: str) -> str:
            return stack.format_arn(service="ec2", resource=resource, resource_name=name)

        interfaces = arn("network-interface", "*")
        network = platform.network
        made_up = "EC2 makes up the ids of the interfaces; subnet and security groups are named."
        places = [arn("subnet", network.subnet_ids[0])]
        groups = [arn("security-group", group) for group in network.security_group_ids]
        self._allow(["ec2:CreateNetworkInterface"], [interfaces, *places, *groups], why_wildcard=made_up)
        self._allow(["ec2:DeleteNetworkInterface"], [interfaces], why_wildcard=made_up)
        self._allow(
            ["ec2:CreateTags"],
            [interfaces],
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["aws-glue-service-resource"]}},
            why_wildcard=made_up,
        )
        self._allow(
            [
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcAttribute",
                "ec2:DescribeVpcEndpoints",
            ],
            ["*"],
            why_wildcard=NO_RESOURCE,
        )

    def _tell(self) -> None:
        """Glue names the log groups after its security configuration and makes them itself."""
        groups = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=LOG_GROUPS,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self._allow(
            ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [groups],
            why_wildcard="Glue makes up the rest of the name from the security configuration and the role.",
        )
        self._allow(
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": "Glue"}},
            why_wildcard=NO_RESOURCE,
        )
