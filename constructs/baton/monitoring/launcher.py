"""Starts the monitors of the `open` backend."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from baton.foundation.scheduled_execution import ScheduleGroup
from baton.monitoring.metrics import NAMESPACE
from baton.monitoring.monitor_jobs import MonitorJobs
from baton.observability.dead_letters import DeadLetters
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry
from baton.registry.reading import let_read


class MonitorLauncher(Construct):
    """The function that starts a monitor's job, and what its schedules need: a group, a role and a dead-letter queue.

    The schedules themselves stand in the serving stack, because they name the version's baselines. Their group stands
    here, so that whoever may edit schedules there can be held to this group.

    Args:
        platform: Keys, zones and notifications.
        jobs: Whom the jobs run as.
        registry: Knows the artefact of the served version.
        endpoint_name: What is watched; it begins the name of every job.
        variant: The endpoint's variant.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        jobs: MonitorJobs,
        registry: ModelRegistry,
        endpoint_name: str,
        variant: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.handler = platform.handler_function(
            self,
            "Function",
            handler="start_monitor",
            description=f"Starts the monitor jobs of {endpoint_name}",
            environment={"VARIANT_NAME": variant},
        )
        let_read(self.handler.role, registry)
        self._grant_start(platform, jobs, endpoint_name)
        self.dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=platform.keys.operations,
            topic=platform.topic.topic,
            lost=f"A monitor of {endpoint_name} could not be started.",
        )
        group = scheduler.CfnScheduleGroup(self, "Schedules")
        self.schedules = ScheduleGroup(name=group.ref, role=self._scheduler_role())

    def _grant_start(self, platform: Platform, jobs: MonitorJobs, endpoint_name: str) -> None:
        role, prefix = self.handler.role, f"{jobs.specification.name}/"
        stack = cdk.Stack.of(self)
        allow(
            role,
            ["s3:ListBucket"],
            [platform.zones.monitoring.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}capture/*", f"{prefix}ground-truth/*"]}},
        )
        allow(
            role,
            ["sagemaker:CreateProcessingJob"],
            [stack.format_arn(service="sagemaker", resource="processing-job", resource_name=f"{endpoint_name}-*")],
            why="A job is named after its endpoint, its monitor and the end of its window.",
        )
        allow(
            role,
            ["iam:PassRole"],
            [jobs.role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        allow(
            role,
            ["kms:CreateGrant", "kms:DescribeKey"],
            [platform.keys.data.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"sagemaker.{platform.region}.amazonaws.com"}},
        )
        grant_publish(role, [NAMESPACE])

    def _scheduler_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "SchedulerRole",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
            description="Invokes the function that starts monitors",
        )
        allow(role, ["lambda:InvokeFunction"], [self.handler.function.function_arn])
        self.dead_letters.grant_send(role)
        return role


def grant_publish(role: iam.Role, namespaces: list[str]) -> None:
    """Let `role` publish metrics in `namespaces`; PutMetricData can be scoped by nothing else."""
    allow(
        role,
        ["cloudwatch:PutMetricData"],
        ["*"],
        why="PutMetricData knows no resource; the condition holds it to the namespaces of monitors.",
        conditions={"StringLike": {"cloudwatch:namespace": namespaces}},
    )
