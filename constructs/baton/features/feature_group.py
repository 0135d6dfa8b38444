"""A model's feature group."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.features.definition import define_feature_group
from baton.permissions import allow
from baton.platform import Platform
from baton.specification.model import ModelSpecification


class FeatureGroup(Construct):
    """A model's inputs in the Feature Store: the newest record of a person online, all of them in the features zone.

    Both stores are encrypted with the key of the data zones. SageMaker adds what was online to the offline store
    within minutes, as Parquet below `<model>/offline-store/`, and keeps a table of it in the platform's catalogue:
    only the service knows the folder that it makes up for a group, so the table is its own to create.

    The group has a name, so CloudFormation cannot replace it; what would ask for that is refused before synthesis by
    `stacks.feature_lock`. Tags and description stay as they are for the same reason.

    Args:
        platform: Keys, zones, and what becomes of data that leaves the template.
        model: The model, with a feature store.
        database_name: The catalogue's database.

    Raises:
        ValueError: The model has no feature store, or no surrogate.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-security.html
        https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSageMakerFeatureStoreAccess.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        database_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._database_name = database_name
        self.definition = define_feature_group(platform.environment_name, model)
        self.role = self._offline_role()
        stack = cdk.Stack.of(self)
        group = sagemaker.CfnFeatureGroup(
            self,
            "Resource",
            feature_group_name=self.definition.name,
            description=f"Inputs of {model.name}",
            record_identifier_feature_name=self.definition.record_identifier,
            event_time_feature_name=self.definition.event_time,
            feature_definitions=[
                sagemaker.CfnFeatureGroup.FeatureDefinitionProperty(feature_name=name, feature_type=kind)
                for name, kind in self.definition.features
            ],
            # The CDK types both stores as plain JSON, so their keys are CloudFormation's.
            online_store_config=self._online_store(),
            offline_store_config=self._offline_store(),
            role_arn=self.role.role_arn,
        )
        group.apply_removal_policy(platform.removal_policy)
        # Without its policy the role could not yet write when SageMaker tries it, which it does at once.
        group.node.add_dependency(self.role)
        self.name = group.ref
        self.arn = stack.format_arn(service="sagemaker", resource="feature-group", resource_name=self.definition.name)

    def grant_read(self, role: iam.Role) -> None:
        """Let `role` look up online records."""
        allow(role, ["sagemaker:BatchGetRecord", "sagemaker:GetRecord"], [self.arn])
        allow(role, ["kms:Decrypt"], [self._platform.keys.data.key_arn])

    def grant_write(self, role: iam.Role) -> None:
        """Let `role` put records, which reach both stores."""
        allow(role, ["sagemaker:PutRecord"], [self.arn])
        allow(role, ["kms:Decrypt"], [self._platform.keys.data.key_arn])

    def grant_query(self, role: iam.Role) -> None:
        """Let `role` read the offline store and the table over it, as Athena or Spark does on its behalf."""
        features = self._platform.zones.features
        prefix = f"{self.definition.offline_prefix}/*"
        allow(
            role,
            ["s3:GetObject"],
            [features.arn_for_objects(prefix)],
            why="The offline store grows by files that SageMaker names.",
        )
        allow(role, ["s3:ListBucket"], [features.bucket_arn], conditions={"StringLike": {"s3:prefix": prefix}})
        allow(role, ["kms:Decrypt"], [self._platform.keys.data.key_arn])
        allow(role, ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"], self._table_arns())

    def _offline_role(self) -> iam.Role:
        """The documented policy of the offline store, held to this group's prefix."""
        role = iam.Role(
            self,
            "OfflineStoreRole",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description="Writes the offline store of a feature group",
        )
        features = self._platform.zones.features
        why = "SageMaker names the files of the offline store; the prefix bounds them to one model's."
        allow(
            role,
            ["s3:PutObject", "s3:PutObjectAcl"],
            [features.arn_for_objects(f"{self.definition.offline_prefix}/*")],
            why=why,
        )
        allow(role, ["s3:GetBucketAcl"], [features.bucket_arn])
        allow(role, ["kms:Decrypt", "kms:GenerateDataKey"], [self._platform.keys.data.key_arn])
        allow(role, ["glue:GetTable", "glue:UpdateTable"], self._table_arns())
        return role

    def _table_arns(self) -> list[str]:
        """The offline store's table, with the database and the catalogue that Glue asks about as well."""
        stack, table = cdk.Stack.of(self), f"{self._database_name}/{self.definition.table_name}"
        return [
            stack.format_arn(service="glue", resource="catalog"),
            stack.format_arn(service="glue", resource="database", resource_name=self._database_name),
            stack.format_arn(service="glue", resource="table", resource_name=table),
        ]

    def _online_store(self) -> dict[str, Any] | None:
        if not self.definition.online:
            return None
        days = self.definition.ttl_days
        lifetime = {"TtlDuration": {"Unit": "Days", "Value": days}} if days else {}
        key = self._platform.keys.data.key_arn
        return {"EnableOnlineStore": True, "SecurityConfig": {"KmsKeyId": key}, **lifetime}

    def _offline_store(self) -> dict[str, Any]:
        return {
            "S3StorageConfig": {
                "S3Uri": self._platform.zones.features.s3_url_for_object(self.definition.offline_prefix),
                "KmsKeyId": self._platform.keys.data.key_arn,
            },
            "DisableGlueTableCreation": False,
            "DataCatalogConfig": {
                "Catalog": "AwsDataCatalog",
                "Database": self._database_name,
                "TableName": self.definition.table_name,
            },
            "TableFormat": "Glue",
        }
