"""One environment: all its stacks, wired once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.governance.governed_model import GovernedModel
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from stacks.acknowledgements import acknowledge
from stacks.approval_stack import ApprovalStack
from stacks.automation_stack import AutomationStack
from stacks.dashboard_stack import DashboardStack
from stacks.data_lake_stack import DataLakeStack
from stacks.features_stack import FeaturesStack
from stacks.governance_stack import GovernanceStack
from stacks.ingestion_stack import IngestionStack
from stacks.monitoring_stack import MonitoringStack
from stacks.serving_stack import ServingStack
from stacks.settings import Environment
from stacks.studio_stack import StudioStack
from stacks.training_stack import TrainingStack


class EnvironmentStage(cdk.Stage):
    """The shared stacks of one environment, and for each model the stacks of its stations.

    Args:
        environment: What differs between environments.
        models: The models to carry.
        source: The project's folder, whose files are shipped.
        commit: The state of the code that is deployed.
        author: Whose it is.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        models: Sequence[ModelSpecification],
        source: Path,
        commit: str,
        author: str,
    ) -> None:
        super().__init__(
            scope, construct_id, env=cdk.Environment(account=environment.account, region=environment.region)
        )
        self._environment = environment
        lake = DataLakeStack(
            self,
            "DataLake",
            stack_name=f"baton-{environment.name}-data-lake",
            environment=environment,
            models=models,
            source=source,
            commit=commit,
            author=author,
        )
        work: dict[str, Any] = {
            "platform": lake.platform,
            "models": [self._carry(model, lake.platform, lake.catalog.database_name) for model in models],
            "database_name": lake.catalog.database_name,
            "work_group_name": lake.work_group.work_group_name,
        }
        studio = None
        if environment.studio is not None:
            name = f"baton-{environment.name}-studio"
            studio = StudioStack(self, "Studio", stack_name=name, settings=environment.studio, **work)
        GovernanceStack(
            self,
            "Governance",
            stack_name=f"baton-{environment.name}-governance",
            studio=None if studio is None else studio.domain,
            **work,
        )
        of_persons = {"Governance", "Studio"}
        lake.service_boundary.hold(*(stack for stack in self.node.children if stack.node.id not in of_persons))
        if studio is not None:
            lake.service_boundary.hold(studio.domain.nobody)
        cdk.Tags.of(self).add("baton:environment", environment.name)
        if not environment.retain_data:
            # Log groups outlive their stack unless told otherwise; nobody reads those of a disposable environment.
            cdk.RemovalPolicies.of(self).destroy(apply_to_resource_types=["AWS::Logs::LogGroup"])
        acknowledge(self)

    def _carry(self, model: ModelSpecification, platform: Platform, database_name: str) -> GovernedModel:
        """One model's stacks, in the order a version passes them; what of them the personas work on."""
        shared: dict[str, Any] = {"platform": platform, "model": model}
        sized: dict[str, Any] = {**shared, "environment": self._environment}
        ingestion = IngestionStack(self, **self._identity(model, "ingestion"), **sized)
        training = TrainingStack(self, **self._identity(model, "training"), **shared)
        features = None
        if model.feature_store is not None:
            features = FeaturesStack(self, **self._identity(model, "features"), database_name=database_name, **shared)
        automation = AutomationStack(
            self,
            **self._identity(model, "automation"),
            job=ingestion.job,
            quality=ingestion.quality,
            fill_features=None if features is None else features.filling.function,
            start_training=training.start_training.function,
            **sized,
        )
        monitoring = MonitoringStack(
            self,
            **self._identity(model, "monitoring"),
            registry=training.registry,
            start_training=training.start_training,
            **shared,
        )
        serving = ServingStack(
            self, **self._identity(model, "serving"), registry=training.registry, monitoring=monitoring, **sized
        )
        approval = ApprovalStack(
            self,
            **self._identity(model, "approval"),
            registry=training.registry,
            signer=training.pipeline.signer,
            monitoring=monitoring,
            serving=serving,
            **sized,
        )
        DashboardStack(
            self,
            **self._identity(model, "dashboard"),
            ingestion=ingestion,
            automation=automation,
            training=training,
            approval=approval,
            serving=serving,
            monitoring=monitoring,
            **shared,
        )
        return GovernedModel(
            name=model.name,
            etl=ingestion.job,
            ingestion=automation.workflow.machine,
            ingestion_ledger_arn=automation.ledger.table.table_arn,
            registry=training.registry,
            pipeline_arn=training.pipeline.pipeline_arn,
            endpoint_name=serving.served.endpoint_name,
            invoke_actions=serving.served.invoke_actions,
            start_training=training.start_training.function,
            reproduce=training.reproduce,
            start_monitor=monitoring.backend.start_monitor,
            reconcile=approval.workflow.machine,
            ledger_arn=approval.ledger.table.table_arn,
            feature_group_arn=features.group.arn if features else None,
        )

    def _identity(self, model: ModelSpecification, station: str) -> dict[str, Any]:
        return {
            "construct_id": f"{model.construct_id}{station.capitalize()}",
            "stack_name": f"baton-{self._environment.name}-{model.slug}-{station}",
        }
