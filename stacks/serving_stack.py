"""The stack that serves one model's approved version, and nothing while there is none."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.approval.target import ServingTarget
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry
from baton.serving.choice import Serving
from baton.serving.served_version import ServedVersion
from baton.specification.model import ModelSpecification
from stacks.monitoring_stack import MonitoringStack
from stacks.settings import Environment


class ServingStack(cdk.Stack):
    """Whatever serves the version that the stack's parameters name, and its monitors.

    The reconcile workflow updates it with the previous template, so it holds no asset: nothing has to be uploaded.

    Args:
        environment: How much of an endpoint is paid for, and how often a workflow looks.
        platform: The environment's foundation.
        model: The model to serve.
        registry: Its versions.
        monitoring: What watches it.
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
        monitoring: MonitoringStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        version = ServedVersion(self, "Version", group_name=registry.group_name)
        self.served = Serving(
            stack=self,
            platform=platform,
            specification=model,
            capacity=environment.serving,
            version=version,
            poll=cdk.Duration.seconds(environment.poll_seconds),
        ).make()
        schedules = monitoring.backend.watch(
            self, "Monitors", plans=monitoring.plans, served=self.served, version=version
        )
        self.target = ServingTarget(
            stack_name=self.stack_name,
            endpoint_name=self.served.endpoint_name,
            endpoint_arn=self.served.endpoint_arn,
            deployment_limit=self.served.deployment_limit,
            kind=self.served.kind,
            instance_type=self.served.instance_type,
            max_latency_ms=self.served.max_latency_ms,
            canary_prefix=self.served.canary_prefix,
            answer_prefixes=self.served.answer_prefixes,
            canary_instance_type=model.serving.instance_type,
        )
        cdk.Tags.of(self).add("baton:model", model.name)
        cdk.CfnOutput(self, "EndpointName", value=self.served.endpoint_name)
        cdk.CfnOutput(self, "CaptureUri", value=monitoring.jobs.capture_uri)
        cdk.CfnOutput(self, "GroundTruthUri", value=monitoring.jobs.ground_truth_uri)
        while_served = {
            **self.served.version_outputs,
            "ServedModelPackageArn": version.package_arn,
            **{f"{monitor}ScheduleName": name for monitor, name in schedules.items()},
        }
        for name, value in while_served.items():
            cdk.CfnOutput(self, name, value=value, condition=version.exists)
