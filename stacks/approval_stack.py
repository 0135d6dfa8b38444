"""The stack that makes one model's endpoint follow the registry."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.approval.execution_role import ServingExecutionRole
from baton.approval.reconcile import ReconcileTriggers
from baton.approval.steps import ReconcileSteps
from baton.approval.workflow import ReconcileWorkflow
from baton.foundation.ledger import Ledger
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry
from baton.specification.model import ModelSpecification
from baton.training.evidence_signer import EvidenceSigner
from stacks.monitoring_stack import MonitoringStack
from stacks.serving_stack import ServingStack
from stacks.settings import Environment

# Beside the deployment itself: CloudFormation's own work, and an update of somebody else's that has to end first.
MARGIN = cdk.Duration.minutes(30)


class ApprovalStack(cdk.Stack):
    """Ledger, reconcile workflow, and what starts it.

    Args:
        environment: How often the workflow looks.
        platform: The environment's foundation.
        model: The model whose versions are approved.
        registry: Where they are.
        signer: Who vouches for their evidence.
        monitoring: What watches the endpoint.
        serving: What the workflow updates.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        platform: Platform,
        model: ModelSpecification,
        registry: ModelRegistry,
        signer: EvidenceSigner,
        monitoring: MonitoringStack,
        serving: ServingStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        time_limit = serving.target.deployment_limit.plus(MARGIN)
        # Should it be lost: the record of what is approved is the registry.
        self.ledger = Ledger(
            self,
            "Ledger",
            partition_key="endpoint",
            sort_key="item",
            key=platform.keys.operations,
            removal_policy=platform.removal_policy,
        )
        execution_role = ServingExecutionRole(
            self,
            "ServingExecutionRole",
            platform=platform,
            model=model.name,
            served=serving.served,
            registry=registry,
            watched_as=monitoring.jobs.role,
            schedules=monitoring.backend.schedules,
            managed_monitors=[plan.name for plan in monitoring.plans] if monitoring.backend.is_managed else [],
        )
        steps = ReconcileSteps(
            self,
            "Steps",
            platform=platform,
            model=model.name,
            registry=registry,
            ledger=self.ledger,
            target=serving.target,
            execution_role=execution_role.role,
            signer=signer,
            time_limit=time_limit,
        )
        self.workflow = ReconcileWorkflow(
            self,
            "Workflow",
            steps=steps,
            poll=cdk.Duration.seconds(environment.poll_seconds),
            time_limit=time_limit.plus(MARGIN),
            key=platform.keys.operations,
            log_retention=platform.log_retention,
        )
        self.triggers = ReconcileTriggers(
            self,
            "Triggers",
            platform=platform,
            registry=registry,
            machine=self.workflow.machine,
            endpoint_name=serving.target.endpoint_name,
        )
        cdk.CfnOutput(self, "ReconcileStateMachineArn", value=self.workflow.machine.state_machine_arn)
        cdk.CfnOutput(self, "LedgerTableName", value=self.ledger.table.table_name)
