"""What the ETL job may do."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from baton.etl.source_access import SourceAccess
from baton.permissions import allow
from baton.platform import Platform
from baton.specification.model import ModelSpecification

USE_KEY = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
NO_RESOURCE = "IAM defines no resource for these calls; they describe, or a condition bounds them to Glue's metrics."
LOG_GROUPS = "/aws-glue/jobs*"
SHARED = "shared"
"""The prefix of the vault for what several models share; no model may be named so."""


class EtlJobRole(Construct):
    """The role of one model's ETL job: reads one source, writes one model's prefixes.

    It is the only role of the platform that reads the vault and the pseudonym key. In the vault it also reaches the
    surrogates of the domains that its model shares with others, and it removes old versions there: a link that the
    right to erasure wants gone must not live on as one.

    Args:
        platform: The environment's foundation.
        model: The model, whose name is its prefix in every zone.
        source: The way to its source.
        pseudonym_key: The key of its keyed hashes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        source: SourceAccess,
        pseudonym_key: secretsmanager.ISecret,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Resource", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        source.grant_read(self.role)
        allow(
            self.role,
            ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            [pseudonym_key.secret_arn],
        )
        zones, keys = platform.zones, platform.keys
        self._work_below(zones.curated, [model.name], ["s3:GetObject", "s3:PutObject"])
        self._work_below(zones.raw, [model.name], ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
        shared = [f"{SHARED}/surrogates/{domain}" for domain in model.surrogate_domains]
        self._keep_links(zones.vault, [model.name, *shared])
        allow(self.role, USE_KEY, [keys.data.key_arn, keys.vault.key_arn, keys.operations.key_arn])
        self._report_erasures(platform, model.name)
        self._join_network(platform)
        self._tell()

    def _work_below(self, bucket: s3.IBucket, prefixes: Sequence[str], actions: Sequence[str]) -> None:
        below = [f"{prefix}/*" for prefix in prefixes]
        allow(self.role, ["s3:ListBucket"], [bucket.bucket_arn], conditions={"StringLike": {"s3:prefix": below}})
        allow(
            self.role,
            actions,
            [bucket.arn_for_objects(pattern) for pattern in below],
            why="A run writes any number of files; the prefix bounds them to this model's and its domains'.",
        )

    def _keep_links(self, vault: s3.IBucket, prefixes: Sequence[str]) -> None:
        self._work_below(vault, prefixes, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"])
        below = {"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}}
        allow(self.role, ["s3:ListBucketVersions"], [vault.bucket_arn], conditions=below)

    def _report_erasures(self, platform: Platform, prefix: str) -> None:
        """Write, once, what an erasure removed; the key of the evidence serves for nothing else."""
        stack = cdk.Stack.of(self)
        allow(
            self.role,
            ["s3:PutObject"],
            [platform.zones.evidence.arn_for_objects(f"{prefix}/erasures/*")],
            why="Each erasure has a report of its own, named after its request.",
        )
        allow(
            self.role,
            ["kms:GenerateDataKey"],
            [platform.keys.models.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
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
        allow(self.role, ["ec2:CreateNetworkInterface"], [interfaces, *places, *groups], why=made_up)
        allow(self.role, ["ec2:DeleteNetworkInterface"], [interfaces], why=made_up)
        allow(
            self.role,
            ["ec2:CreateTags"],
            [interfaces],
            conditions={"ForAllValues:StringEquals": {"aws:TagKeys": ["aws-glue-service-resource"]}},
            why=made_up,
        )
        allow(
            self.role,
            [
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcAttribute",
                "ec2:DescribeVpcEndpoints",
            ],
            ["*"],
            why=NO_RESOURCE,
        )

    def _tell(self) -> None:
        """Glue names the log groups after its security configuration and makes them itself."""
        groups = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=LOG_GROUPS,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        allow(
            self.role,
            ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [groups],
            why="Glue makes up the rest of the name from the security configuration and the role.",
        )
        allow(
            self.role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
            why=NO_RESOURCE,
        )
