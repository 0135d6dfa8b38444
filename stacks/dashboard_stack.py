"""The stack with the page on which a model's whole way can be seen."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from baton.ingestion.metrics import metric
from baton.monitoring.metrics import metric_unknown, metric_violations
from baton.observability.dashboard import Graph, ModelDashboard
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from stacks.approval_stack import ApprovalStack
from stacks.automation_stack import AutomationStack
from stacks.ingestion_stack import IngestionStack
from stacks.monitoring_stack import MonitoringStack
from stacks.serving_stack import ServingStack
from stacks.training_stack import TrainingStack


class DashboardStack(cdk.Stack):
    """One model's dashboard, over the stacks of all its stations.

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
        watched = monitoring.response
        ModelDashboard(
            self,
            "Dashboard",
            name=f"baton-{platform.environment_name}-{model.slug}",
            alarms=[
                *serving.endpoint.alarms.all,
                *watched.drift_alarms,
                *watched.silence_alarms,
                *approval.triggers.alarms,
                *automation.watch.alarms,
            ],
            stations={
                "Data and training": [
                    _ingestion(ingestion),
                    _published(platform, model),
                    _ingesting(automation),
                    *([_training(training)] if training is not None else []),
                ],
                "Approval": [_reconciling(approval)],
                "Serving": _serving(serving),
                "Watching": _watching(monitoring, serving.endpoint.endpoint_name),
            },
        )


def _ingestion(stack: IngestionStack) -> Graph:
    return Graph(title="ETL: failed tasks", left=[stack.job.metric_failed_tasks(label="failed tasks")])


def _published(platform: Platform, model: ModelSpecification) -> Graph:
    rows: list[cloudwatch.IMetric] = [
        metric(name, platform=platform, model=model.name, statistic="Maximum", period=cdk.Duration.hours(1))
        for name in ("PublishedRows", "RejectedRows", "NewSurrogates")
    ]
    return Graph(title="Data set: rows", left=rows)


def _ingesting(stack: AutomationStack) -> Graph:
    machine = stack.workflow.machine
    return Graph(
        title="Ingestion: runs",
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


def _reconciling(stack: ApprovalStack) -> Graph:
    machine = stack.workflow.machine
    return Graph(
        title="Reconcile: runs",
        left=[machine.metric_succeeded(), machine.metric_failed(), machine.metric_timed_out()],
        right=[machine.metric_time(statistic="Maximum")],
    )


def _serving(stack: ServingStack) -> list[Graph]:
    endpoint = stack.endpoint
    return [
        Graph(title="Requests", left=[endpoint.metric_invocations()]),
        Graph(
            title="Errors",
            left=[endpoint.metric_client_errors(), endpoint.metric_server_errors(statistic="Sum")],
        ),
        Graph(
            title="Model latency (µs)",
            left=[endpoint.metric_model_latency(statistic="p50"), endpoint.metric_model_latency()],
        ),
    ]


def _watching(stack: MonitoringStack, endpoint_name: str) -> list[Graph]:
    hour = cdk.Duration.hours(1)
    violations: list[cloudwatch.IMetric] = [
        metric_violations(plan, endpoint_name=endpoint_name, period=hour).with_(label=plan.name) for plan in stack.plans
    ]
    unknown: list[cloudwatch.IMetric] = [
        metric_unknown(plan, endpoint_name=endpoint_name, period=hour).with_(label=plan.name) for plan in stack.plans
    ]
    return [Graph(title="Violations", left=violations), Graph(title="Monitors without an answer", left=unknown)]
