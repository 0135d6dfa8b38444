"""The stack that serves one model's approved version, and nothing while there is none."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.approval.target import ServingTarget
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions
from baton.serving.approved_model import ApprovedModel
from baton.serving.deployment import BlueGreenDeployment
from baton.serving.realtime_endpoint import RealtimeEndpoint
from baton.serving.scaling import EndpointScaling
from baton.serving.served_version import ServedVersion
from baton.specification.model import ModelSpecification
from stacks.monitoring_stack import MonitoringStack
from stacks.settings import Environment


class ServingStack(cdk.Stack):
    """Model, endpoint, scaling and monitors of the version that the stack's parameters name.

    The reconcile workflow updates it with the previous template, so it holds no asset: nothing has to be uploaded.

    Args:
        environment: How much of an endpoint is paid for.
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
        registry: ModelVersions,
        monitoring: MonitoringStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        capacity = environment.serving
        deployment = BlueGreenDeployment(
            instance_count=capacity.instance_count, bake=cdk.Duration.minutes(capacity.bake_minutes)
        )
        version = ServedVersion(self, "Version", group_name=registry.group_name)
        self.model = ApprovedModel(self, "Model", platform=platform, specification=model, version=version)
        self.endpoint = RealtimeEndpoint(
            self,
            "Endpoint",
            platform=platform,
            specification=model,
            model=self.model,
            version=version,
            deployment=deployment,
        )
        EndpointScaling(
            self,
            "Scaling",
            endpoint=self.endpoint,
            version=version,
            min_instances=capacity.instance_count,
            max_instances=capacity.max_instance_count,
            invocations_per_instance=model.serving.invocations_per_instance,
        )
        schedules = monitoring.backend.watch(
            self, "Monitors", plans=monitoring.plans, endpoint=self.endpoint, version=version
        )
        self.target = ServingTarget(
            stack_name=self.stack_name,
            endpoint_name=self.endpoint.endpoint_name,
            endpoint_arn=self.endpoint.endpoint_arn,
            deployment_limit=deployment.time_limit,
        )
        cdk.Tags.of(self).add("baton:model", model.name)
        cdk.CfnOutput(self, "EndpointName", value=self.endpoint.endpoint_name)
        cdk.CfnOutput(self, "CaptureUri", value=monitoring.jobs.capture_uri)
        cdk.CfnOutput(self, "GroundTruthUri", value=monitoring.jobs.ground_truth_uri)
        while_served = {
            "EndpointConfigName": self.endpoint.config_name,
            "ServedModelPackageArn": version.package_arn,
            **{f"{monitor}ScheduleName": name for monitor, name in schedules.items()},
        }
        for name, value in while_served.items():
            cdk.CfnOutput(self, name, value=value, condition=version.exists)
