"""What all kinds of endpoint have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import RemovalPolicy, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.foundation.container_role import ContainerRole
from baton.foundation.scheduled_execution import ScheduleGroup
from baton.observability.dashboard import Graph
from baton.observability.strain import Habit, Limit
from baton.platform import Platform
from baton.serving.alarms import BusinessAlarms
from baton.serving.endpoint_strain import request_habits, request_limits
from baton.serving.kind import Holding
from baton.serving.metrics import metric_served_version
from baton.serving.served_version import ServedVersion
from baton.specification.deployment import PROVISIONING
from baton.specification.model import ModelSpecification
from baton.specification.serving import Kind

VARIANT = "AllTraffic"
"""SageMaker shifts traffic only between variants of the same name."""


def endpoint_name_of(platform: Platform, specification: ModelSpecification) -> str:
    """What callers call the endpoint."""
    return f"baton-{platform.environment_name}-{specification.slug}"


class HostedEndpoint(Construct):
    """A named endpoint over a configuration for each version, with its log group, alarms and metrics.

    Only the endpoint has a name: callers know it, and its alarms have to exist before it does. A configuration cannot
    be edited in place, so every version gets a new one and the endpoint moves over to it. Each kind adds its alarms,
    and calls `_host` with what its configuration holds.

    Args:
        platform: Keys and zones.
        specification: The model.
        container: As whom it runs.
        version: Which version that is.
    """

    instance_type: str = ""
    max_latency_ms: int | None = None
    canary_prefix: str = ""
    answer_prefixes: Sequence[str] = ()
    deployment_limit = cdk.Duration.minutes(PROVISIONING)
    holds: frozenset[Holding] = frozenset({"endpoint"})
    version_alarm_names: tuple[str, ...] = ()
    schedules: ScheduleGroup | None = None
    invoke_actions: tuple[str, ...] = ("sagemaker:InvokeEndpoint",)

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        container: ContainerRole,
        version: ServedVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        self.kind: Kind = specification.serving.kind
        self.role = container.role
        self.endpoint_name = endpoint_name_of(platform, specification)
        self.endpoint_arn = Stack.of(self).format_arn(
            service="sagemaker", resource="endpoint", resource_name=self.endpoint_name
        )
        self._version = version
        # SageMaker would make this group itself, unencrypted and for ever. It goes with the stack, because a retained
        # group of this name would keep the stack from being created again.
        self._logs = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
            encryption_key=platform.keys.operations,
            retention=platform.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._business = BusinessAlarms(
            self,
            "Answers",
            endpoint_name=self.endpoint_name,
            limits=specification.serving.limits,
            topic=platform.topic.topic,
        )
        self.alarms: list[cloudwatch.IAlarm] = []

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` ask this endpoint for predictions, and nothing more."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=list(self.invoke_actions), resource_arns=[self.endpoint_arn]
        )

    def metric_invocations(self, *, statistic: str = "Sum") -> cloudwatch.Metric:
        """Requests, over 5 minutes."""
        return self._metric("Invocations", statistic=statistic)

    def metric_model_latency(self, *, statistic: str = "p99", variant: str = VARIANT) -> cloudwatch.Metric:
        """Time the model took to answer, in microseconds, over 5 minutes."""
        return self._metric("ModelLatency", statistic=statistic, variant=variant)

    def metric_server_errors(self, *, statistic: str = "Average", variant: str = VARIANT) -> cloudwatch.Metric:
        """Requests that ended in a 5XX, over 5 minutes; on average, their share of all requests."""
        return self._metric("Invocation5XXErrors", statistic=statistic, variant=variant)

    def metric_client_errors(self, *, statistic: str = "Sum") -> cloudwatch.Metric:
        """Requests that the endpoint refused with a 4XX, over 5 minutes."""
        return self._metric("Invocation4XXErrors", statistic=statistic)

    def metric_overhead_latency(self, *, statistic: str = "p99") -> cloudwatch.Metric:
        """Time a request spent in SageMaker outside the model, in microseconds, over 5 minutes."""
        return self._metric("OverheadLatency", statistic=statistic)

    def limits(self) -> Sequence[Limit]:
        """What requests may have to wait for, or be refused."""
        return request_limits(
            overhead=self.metric_overhead_latency(), refused=self.metric_client_errors(statistic="Average")
        )

    def habits(self) -> Sequence[Habit]:
        """Requests and latency, which are compared with their own past."""
        return request_habits(invocations=self.metric_invocations(), latency=self.metric_model_latency())

    def graphs(self) -> Sequence[Graph]:
        """Requests, errors and latency; a point on the right axis says when which version began to serve."""
        deployed = [metric_served_version(self.endpoint_name)]
        return [
            Graph(title="Requests", left=[self.metric_invocations()], right=deployed),
            Graph(
                title="Errors",
                left=[self.metric_client_errors(), self.metric_server_errors(statistic="Sum")],
                right=deployed,
            ),
            Graph(
                title="Model latency (µs)",
                left=[self.metric_model_latency(statistic="p50"), self.metric_model_latency()],
                right=deployed,
            ),
        ]

    def monitor_input(self, local_path: str, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the endpoint captured."""
        return {"endpointInput": {"endpointName": self.endpoint_name, "localPath": local_path, **attributes}}

    def _host(
        self,
        config: sagemaker.CfnEndpointConfig,
        *,
        deployment_config: sagemaker.CfnEndpoint.DeploymentConfigProperty | None = None,
        retain: bool = True,
        except_weights: bool = False,
    ) -> None:
        """Make the endpoint of `config`; unless told, what autoscaling did to its variants survives an update."""
        weights = sagemaker.CfnEndpoint.VariantPropertyProperty(variant_property_type="DesiredWeight")
        self.resource = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_name=self.endpoint_name,
            endpoint_config_name=config.attr_endpoint_config_name,
            deployment_config=deployment_config,
            retain_all_variant_properties=True if retain else None,
            exclude_retained_variant_properties=[weights] if except_weights else None,
        )
        alarms: list[Construct] = [node for node in self.node.find_all() if isinstance(node, cloudwatch.CfnAlarm)]
        self.resource.node.add_dependency(*alarms, self._logs)
        self.version_outputs = {"EndpointConfigName": config.attr_endpoint_config_name}
        Tags.of(self.resource).add("baton:model-version", self._version.number)
        Tags.of(self.resource).add("baton:evidence", self._version.evidence_uri)
        self._version.only_while_served(config, self.resource)

    def _metric(
        self, name: str, *, statistic: str, namespace: str = "AWS/SageMaker", variant: str | None = VARIANT
    ) -> cloudwatch.Metric:
        dimensions = {"EndpointName": self.endpoint_name}
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map=dimensions if variant is None else {**dimensions, "VariantName": variant},
            statistic=statistic,
        )
