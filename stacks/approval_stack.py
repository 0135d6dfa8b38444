"""The stack that makes one model's endpoint follow the registry."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.approval.execution_role import ServingExecutionRole
from baton.approval.pin import VersionPin
from baton.approval.reconcile import ReconcileTriggers
from baton.approval.steps import ReconcileSteps
from baton.approval.workflow import ReconcileWorkflow
from baton.foundation.ledger import Ledger
from baton.foundation.workflow import rest_between_looks
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions
from baton.specification.model import ModelSpecification
from baton.training.signed_evidence import SignedEvidence
from stacks.monitoring_stack import MonitoringStack
from stacks.serving_stack import ServingStack
from stacks.settings import Environment

# Beside the deployment itself: CloudFormation's own work, and an update of somebody else's that has to end first.
MARGIN = cdk.Duration.minutes(30)


class ApprovalStack(cdk.Stack):
    """Ledger, reconcile workflow, what starts it, and what a person may ask of it.

    Args:
        environment: How often the workflow looks.
        platform: The environment's foundation.
        model: The model whose versions are approved.
        registry: Where they are.
        evidence: What vouches for them.
        trained_in: The environment that trains them.
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
        registry: ModelVersions,
        evidence: SignedEvidence,
        trained_in: str,
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
            evidence=evidence,
            when_none_approved=model.serving.when_none_approved,
            time_limit=time_limit,
        )
        self.workflow = ReconcileWorkflow(
            self,
            "Workflow",
            steps=steps,
            poll=rest_between_looks(cdk.Duration.seconds(environment.poll_seconds), within=time_limit),
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
        self.pin = VersionPin(
            self,
            "Pinning",
            platform=platform,
            registry=registry,
            ledger=self.ledger,
            target=serving.target,
            machine=self.workflow.machine,
        )
        cdk.CfnOutput(self, "PinFunctionName", value=self.pin.function.function_name)
        if registry.stages:
            cdk.CfnOutput(self, "VersionsGroup", value=registry.reference)
            cdk.CfnOutput(self, "Stages", value=",".join(registry.stages))
            cdk.CfnOutput(self, "TrainedIn", value=trained_in)
        cdk.CfnOutput(self, "ReconcileStateMachineArn", value=self.workflow.machine.state_machine_arn)
        cdk.CfnOutput(self, "LedgerTableName", value=self.ledger.table.table_name)
