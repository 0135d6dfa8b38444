"""Real-time serving."""

from aws_cdk import RemovalPolicy, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.platform import Platform
from baton.serving.approved_model import ApprovedModel
from baton.serving.deployment import BlueGreenDeployment, EndpointAlarms
from baton.serving.served_version import ServedVersion
from baton.specification.model import ModelSpecification

VARIANT = "AllTraffic"
"""SageMaker shifts traffic only between variants of the same name."""


def endpoint_name_of(platform: Platform, specification: ModelSpecification) -> str:
    """What callers call the endpoint."""
    return f"baton-{platform.environment_name}-{specification.slug}"


class RealtimeEndpoint(Construct):
    """The approved model behind an HTTPS endpoint whose traffic is captured.

    Only the endpoint has a name: callers know it, and its alarms have to exist before it does. A configuration cannot
    be edited in place, so every version gets a new one and the endpoint rolls over to it without downtime.

    Args:
        platform: Keys and zones.
        specification: The model.
        model: The approved version.
        version: Which version that is.
        deployment: How the endpoint moves to the next version.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        model: ApprovedModel,
        version: ServedVersion,
        deployment: BlueGreenDeployment,
    ) -> None:
        super().__init__(scope, construct_id)
        self.endpoint_name = endpoint_name_of(platform, specification)
        self.endpoint_arn = Stack.of(self).format_arn(
            service="sagemaker", resource="endpoint", resource_name=self.endpoint_name
        )
        self.capture_uri = f"s3://{platform.zones.monitoring.bucket_name}/{specification.name}/capture"
        self.alarms = EndpointAlarms(
            self,
            "Alarms",
            errors=self.metric_server_errors(),
            latency=self.metric_model_latency(),
            max_latency_ms=specification.serving.max_latency_ms,
            topic=platform.topic.topic,
        )
        # SageMaker would make this group itself, unencrypted and for ever. It goes with the stack, because a retained
        # group of this name would keep the stack from being created again.
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
            encryption_key=platform.keys.operations,
            retention=platform.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=platform.keys.models.key_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.model_name,
                    instance_type=specification.serving.instance_type,
                    initial_instance_count=deployment.instance_count,
                    initial_variant_weight=1,
                )
            ],
            data_capture_config=self._capture(platform, specification.serving.capture_percent),
        )
        self.resource = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_name=self.endpoint_name,
            endpoint_config_name=config.attr_endpoint_config_name,
            deployment_config=deployment.render(self.alarms.all),
            retain_all_variant_properties=True,  # or a new version would undo what autoscaling did
        )
        self.resource.node.add_dependency(self.alarms, log_group)
        self.config_name = config.attr_endpoint_config_name
        Tags.of(self.resource).add("baton:model-version", version.number)
        version.only_while_served(config, self.resource)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` ask this endpoint for predictions, and nothing more."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["sagemaker:InvokeEndpoint"], resource_arns=[self.endpoint_arn]
        )

    def metric_invocations(self, *, statistic: str = "Sum") -> cloudwatch.Metric:
        """Requests, over 5 minutes."""
        return self._metric("Invocations", statistic=statistic)

    def metric_model_latency(self, *, statistic: str = "p99") -> cloudwatch.Metric:
        """Time the model took to answer, in microseconds, over 5 minutes."""
        return self._metric("ModelLatency", statistic=statistic)

    def metric_overhead_latency(self, *, statistic: str = "p99") -> cloudwatch.Metric:
        """Time a request spent in SageMaker outside the model, in microseconds, over 5 minutes."""
        return self._metric("OverheadLatency", statistic=statistic)

    def metric_served_version(self) -> cloudwatch.Metric:
        """The number of a version at the moment it began to serve; nothing in between."""
        return cloudwatch.Metric(
            namespace="Baton/Serving",
            metric_name="ServedVersion",
            dimensions_map={"EndpointName": self.endpoint_name},
            statistic="Maximum",
            label="version deployed",
        )

    def metric_server_errors(self, *, statistic: str = "Average") -> cloudwatch.Metric:
        """Requests that ended in a 5XX, over 5 minutes; on average, their share of all requests."""
        return self._metric("Invocation5XXErrors", statistic=statistic)

    def metric_client_errors(self, *, statistic: str = "Sum") -> cloudwatch.Metric:
        """Requests that the endpoint refused with a 4XX, over 5 minutes."""
        return self._metric("Invocation4XXErrors", statistic=statistic)

    def _metric(self, name: str, *, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": VARIANT},
            statistic=statistic,
        )

    def _capture(self, platform: Platform, percent: int) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
        """Requests and answers, as text: what is not listed as CSV or JSON would be captured as Base64."""
        return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
            enable_capture=True,
            destination_s3_uri=self.capture_uri,
            initial_sampling_percentage=percent,
            kms_key_id=platform.keys.data.key_arn,
            capture_options=[
                sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")
            ],
            capture_content_type_header=sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
                csv_content_types=["text/csv"], json_content_types=["application/json"]
            ),
        )
