"""The stack with the page on which a model's whole way can be seen, and with the alarm on its endpoint's health."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.ingestion.metrics import metric
from baton.monitoring.metrics import metric_unknown, metric_violations
from baton.observability.dashboard import Graph, ModelDashboard
from baton.observability.strain import Strain
from baton.platform import Platform
from baton.serving.kind import ServingKind
from baton.specification.model import ModelSpecification
from stacks.approval_stack import ApprovalStack
from stacks.automation_stack import AutomationStack
from stacks.ingestion_stack import IngestionStack
from stacks.monitoring_stack import MonitoringStack
from stacks.serving_stack import ServingStack
from stacks.training_stack import TrainingStack


class DashboardStack(cdk.Stack):
    """One model's dashboard, over the stacks of all its stations, and what strains its endpoint.

    Args:
        platform: The environment's foundation.
        model: The model.
        ingestion: Where its data comes from.
        automation: What brings it.
        training: Where its versions come from; None where that is another environment.
        approval: Where they are decided on.
        serving: Where one of them serves.
        monitoring: What watches that.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        ingestion: IngestionStack,
        automation: AutomationStack,
        training: TrainingStack | None,
        approval: ApprovalStack,
        serving: ServingStack,
        monitoring: MonitoringStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        served = serving.served
        strain = self._strain(served, platform)
        watched = monitoring.response
        ModelDashboard(
            self,
            "Dashboard",
            name=f"baton-{platform.environment_name}-{model.slug}",
            alarms=[
                *strain,
                *served.alarms,
                *watched.drift_alarms,
                *watched.silence_alarms,
                *approval.triggers.alarms,
                *automation.watch.alarms,
            ],
            stations={
                "Data and training": [
                    _ingestion(ingestion),
                    _published(platform, model),
                    _runs("Ingestion", automation.workflow.machine),
                    *([_training(training)] if training is not None else []),
                ],
                "Approval": [_runs("Reconcile", approval.workflow.machine)],
                "Serving": served.graphs(),
                **({"Watching": _watching(monitoring, served.endpoint_name)} if monitoring.plans else {}),
            },
        )

    def _strain(self, served: ServingKind, platform: Platform) -> list[cloudwatch.IAlarm]:
        """The alarm that tells, and those below it; none where nothing can be short of anything."""
        limits, habits = served.limits(), served.habits()
        if not limits and not habits:
            return []
        strain = Strain(
            self,
            "Strain",
            subject=f"The endpoint {served.endpoint_name}",
            limits=limits,
            habits=habits,
            runbook="docs/runbook.md#endpoint-strain",
            topic=platform.topic.topic,
        )
        return [strain.alarm, *strain.causes]


def _ingestion(stack: IngestionStack) -> Graph:
    return Graph(title="ETL: failed tasks", left=[stack.job.metric_failed_tasks(label="failed tasks")])


def _published(platform: Platform, model: ModelSpecification) -> Graph:
    rows: list[cloudwatch.IMetric] = [
        metric(name, platform=platform, model=model.name, statistic="Maximum", period=cdk.Duration.hours(1))
        for name in ("PublishedRows", "RejectedRows", "NewSurrogates")
    ]
    return Graph(title="Data set: rows", left=rows)


def _runs(title: str, machine: sfn.IStateMachine) -> Graph:
    return Graph(
        title=f"{title}: runs",
        left=[machine.metric_succeeded(), machine.metric_failed(), machine.metric_timed_out()],
        right=[machine.metric_time(statistic="Maximum")],
    )


def _training(stack: TrainingStack) -> Graph:
    pipeline = stack.pipeline
    return Graph(
        title="Training pipeline: executions",
        left=[pipeline.metric_executions_succeeded(), pipeline.metric_executions_failed()],
        right=[pipeline.metric_execution_duration()],
    )


def _watching(stack: MonitoringStack, endpoint_name: str) -> list[Graph]:
    hour = cdk.Duration.hours(1)
    violations: list[cloudwatch.IMetric] = [
        metric_violations(plan, endpoint_name=endpoint_name, period=hour).with_(label=plan.name) for plan in stack.plans
    ]
    unknown: list[cloudwatch.IMetric] = [
        metric_unknown(plan, endpoint_name=endpoint_name, period=hour).with_(label=plan.name) for plan in stack.plans
    ]
    return [Graph(title="Violations", left=violations), Graph(title="Monitors without an answer", left=unknown)]
