"""The stack that every other stack of an environment stands on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from baton.foundation.encryption import PlatformKeys
from baton.foundation.network import PrivateNetwork
from baton.foundation.runtime_code import HandlerLayer
from baton.foundation.taker import in_other_accounts
from baton.governance.service_boundary import ServiceBoundary
from baton.lake.catalog import Catalog
from baton.lake.query_workgroup import QueryWorkGroup
from baton.lake.version_files import VersionFiles
from baton.lake.zones import LakeZones
from baton.observability.notifications import NotificationTopic
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from stacks.connections import DynamoDbConnection, FileConnection, account_of
from stacks.registries import NOTHING_SHARED, Sharing
from stacks.settings import Environment
from stacks.taken_registry import TakenRegistry
from stacks.versions_source import TakenSources

# CloudWatch Logs knows these spans only; the configuration allows no other.
LOG_RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}
# How long the EU AI Act (article 18) wants the documentation of a high-risk system kept.
EVIDENCE_LOCKED_FOR = cdk.Duration.days(3653)


class DataLakeStack(cdk.Stack):
    """Keys, network, lake, catalogue and notifications of one environment.

    Args:
        environment: What differs between environments.
        sharing: What it has to do with the registries of the others.
        models: The models that get a table in the catalogue.
        source: The folder that holds `pipeline_scripts/` and `build/`.
        commit: The state of the code that is deployed.
        author: Whose it is.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        sharing: Sharing = NOTHING_SHARED,
        models: Sequence[ModelSpecification],
        source: Path,
        commit: str,
        author: str,
        **kwargs: Any,
    ) -> None:
        self._zones_of_environment = list(environment.availability_zones)
        super().__init__(scope, construct_id, **kwargs)
        removal_policy = cdk.RemovalPolicy.RETAIN if environment.retain_data else cdk.RemovalPolicy.DESTROY
        retention = LOG_RETENTION[environment.log_retention_days]
        self.service_boundary = ServiceBoundary(
            self, "ServiceBoundary", forwards_events=bool(in_other_accounts(sharing.takers))
        )
        self.keys = PlatformKeys(self, "Keys", removal_policy=removal_policy)
        self.keys.admit(sharing.takers)
        connections = environment.connections.values()
        self.network = PrivateNetwork(
            self,
            "Network",
            cidr=environment.vpc_cidr,
            availability_zones=environment.availability_zones,
            log_key=self.keys.operations,
            log_retention=retention,
            database_ports=[port for connection in connections if (port := connection.port)],
            foreign_buckets=[
                *(c.bucket for c in connections if isinstance(c, FileConnection) and c.role),
                *(_buckets(environment.registry) if environment.registry and sharing.account else ()),
            ],
            foreign_table_accounts=[
                account_of(c.role) for c in connections if isinstance(c, DynamoDbConnection) and c.role
            ],
        )
        # What production serves is documented where it was trained.
        vouches_for = {environment.name, *(taker.environment for taker in sharing.takers)}
        self.zones = LakeZones(
            self,
            "Zones",
            keys=self.keys,
            raw_retention_days=environment.raw_retention_days,
            removal_policy=removal_policy,
            evidence_locked_for=EVIDENCE_LOCKED_FOR if "prod" in vouches_for else None,
        )
        self.zones.admit(sharing.takers, models=[model.name for model in models])
        self.taken = self._taken(environment, sharing, models)
        own_files = VersionFiles(models=self.zones.models, evidence=self.zones.evidence, key=self.keys.models)
        self.topic = NotificationTopic(self, "Notifications", key=self.keys.operations, addresses=environment.notify)
        self.layer = HandlerLayer(source=source, folder=source / "build" / "lambda-layer")
        self.catalog = Catalog(
            self,
            "Catalog",
            database_name=f"baton_{environment.name}",
            curated=self.zones.curated,
            models=models,
        )
        self.work_group = QueryWorkGroup(
            self,
            "Queries",
            name=f"baton-{environment.name}",
            results=self.zones.curated,
            key=self.keys.data,
            scan_limit=cdk.Size.gibibytes(100),
        )
        self.platform = Platform(
            keys=self.keys,
            network=self.network,
            zones=self.zones,
            version_files=own_files if self.taken is None else self.taken.files,
            topic=self.topic,
            layer=self.layer,
            source=source,
            wheels=source / "build" / "wheels",
            etl_libraries=source / "build" / "etl-libraries",
            log_retention=retention,
            removal_policy=removal_policy,
            environment_name=environment.name,
            database_name=self.catalog.database_name,
            region=environment.region,
            analysis_backend=environment.analysis_backend,
            commit=commit,
            author=author,
            xgboost_digest=environment.xgboost_digest,
        )
        self._tell()

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the configuration. The CDK's own answer asks the account, which synthesis must not need."""
        return self._zones_of_environment

    def _taken(
        self, environment: Environment, sharing: Sharing, models: Sequence[ModelSpecification]
    ) -> TakenSources | None:
        if environment.registry is None:
            return None
        # A training stack of before imports these. CloudFormation keeps an export from going before who imports it.
        for kept in (self.zones.models.bucket_arn, self.zones.models.bucket_name):
            self.export_value(kept)
        return TakenSources(
            self,
            "Taken",
            environment=environment.name,
            registry=environment.registry,
            sharing=sharing,
            models=models,
            key=self.keys.operations,
        )

    def _tell(self) -> None:
        outputs = {
            "RawBucketName": self.zones.raw.bucket_name,
            "CuratedBucketName": self.zones.curated.bucket_name,
            "FeaturesBucketName": self.zones.features.bucket_name,
            "ModelsBucketName": self.zones.models.bucket_name,
            "MonitoringBucketName": self.zones.monitoring.bucket_name,
            "EvidenceBucketName": self.zones.evidence.bucket_name,
            "LogsBucketName": self.zones.logs.bucket_name,
            "VaultBucketName": self.zones.vault.bucket_name,
            "DatabaseName": self.catalog.database_name,
            "WorkGroupName": self.work_group.work_group_name,
            "NotificationTopicArn": self.topic.topic.topic_arn,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)


def _buckets(registry: TakenRegistry) -> tuple[str, str]:
    return registry.models_bucket, registry.evidence_bucket
