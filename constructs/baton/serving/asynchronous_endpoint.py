"""Serving whose answers nobody waits for."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from baton.observability.alarm import OperatorAlarm
from baton.observability.dashboard import Graph
from baton.observability.strain import Habit, Limit
from baton.permissions import allow
from baton.platform import Platform
from baton.serving.alarms import EndpointAlarms
from baton.serving.approved_model import ApprovedModel
from baton.serving.deployment import GuardedDeployment
from baton.serving.endpoint import VARIANT, HostedEndpoint
from baton.serving.endpoint_strain import InstanceMetrics
from baton.serving.fleet import Fleet
from baton.serving.kind import Holding
from baton.serving.metrics import MINUTE, metric_served_version
from baton.serving.served_version import ServedVersion
from baton.specification.model import ModelSpecification
from baton.specification.serving import AsynchronousServing


class AsynchronousEndpoint(HostedEndpoint):
    """The approved model behind an endpoint that takes requests from S3, and leaves its answers there.

    Two encrypted topics tell of each answer and of each failure. Requests lie under one prefix, answers and failures
    under others, all with the key of what is captured elsewhere.

    Args:
        platform: Keys and zones.
        specification: The model.
        serving: How it is served.
        model: The approved version.
        version: Which version that is.
        fleet: On which machines it runs.
        deployment: How the endpoint moves to the next version.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
    """

    holds: frozenset[Holding] = frozenset({"endpoint", "scaling"})
    invoke_actions: tuple[str, ...] = ("sagemaker:InvokeEndpointAsync",)

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        serving: AsynchronousServing,
        model: ApprovedModel,
        version: ServedVersion,
        fleet: Fleet,
        deployment: GuardedDeployment,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            platform=platform,
            specification=specification,
            container=model.container,
            version=version,
        )
        self.instance_type = serving.instance_type
        self._serving = serving
        self._machines = InstanceMetrics(
            endpoint_name=self.endpoint_name, variant=VARIANT, instance_type=serving.instance_type
        )
        self.deployment_limit = deployment.time_limit
        self.wake_up_alarm_name = f"{self.endpoint_name}-waits-for-an-instance"
        self.version_alarm_names = (self.wake_up_alarm_name,)
        self._bucket: s3.IBucket = platform.zones.monitoring
        self._key: kms.IKey = platform.keys.data
        own = f"{specification.name}/"
        self.input_prefix = f"{own}{serving.input_prefix}"
        self.success_topic = self._topic("Answered", platform)
        self.error_topic = self._topic("Failed", platform)
        self._grant_container(model, [f"{own}{serving.output_prefix}", f"{own}{serving.failure_prefix}"], platform)
        errors = EndpointAlarms(
            self,
            "Alarms",
            errors=self.metric_server_errors(),
            latency=self.metric_model_latency(),
            max_latency_ms=None,
            topic=platform.topic.topic,
        )
        rolling_back = [*errors.all, *self._business.all]
        self.alarms = [*rolling_back, self._failures(platform)]
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=platform.keys.models.key_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.model_name,
                    instance_type=fleet.instance_type,
                    initial_instance_count=deployment.rollout.capacity.instance_count,
                    initial_variant_weight=1,
                )
            ],
            async_inference_config=self._inference(specification),
        )
        # A fleet that had scaled to zero could not be divided, and nobody waits while it grows again.
        self._host(config, deployment_config=deployment.render(rolling_back), retain=False)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` leave requests under the input prefix and have them answered."""
        encrypt = iam.Grant.add_to_principal(
            grantee=grantee, actions=["kms:Decrypt", "kms:GenerateDataKey"], resource_arns=[self._key.key_arn]
        )
        put = iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:PutObject"],
            resource_arns=[self._bucket.arn_for_objects(f"{self.input_prefix}*")],
        )
        return super().grant_invoke(grantee).combine(put).combine(encrypt)

    def metric_invocations(self, *, statistic: str = "Sum") -> cloudwatch.Metric:
        """Requests that were taken from the queue, over 5 minutes."""
        return self._metric("InvocationsProcessed", statistic=statistic)

    def metric_failures(self, *, statistic: str = "Sum") -> cloudwatch.Metric:
        """Requests that ended without an answer, over 5 minutes."""
        return self._metric("InvocationFailures", statistic=statistic)

    def metric_age_of_oldest_request(self) -> cloudwatch.Metric:
        """How long the oldest request has waited, in seconds, over 5 minutes."""
        return self._metric("ApproximateAgeOfOldestRequest", statistic="Maximum", variant=None)

    def metric_backlog(self) -> cloudwatch.Metric:
        """How many requests wait, over 5 minutes."""
        return self._metric("ApproximateBacklogSize", statistic="Maximum", variant=None)

    def metric_backlog_per_instance(self) -> cloudwatch.Metric:
        """How many requests wait for each instance."""
        return self._metric("ApproximateBacklogSizePerInstance", statistic="Average", variant=None)

    def metric_backlog_without_capacity(self) -> cloudwatch.Metric:
        """1 while requests wait and there is no instance, else 0."""
        return self._metric("HasBacklogWithoutCapacity", statistic="Average", variant=None)

    def limits(self) -> Sequence[Limit]:
        """The machines, and how long a request may wait for one."""
        minutes = self._serving.max_age_minutes
        old = Limit(
            name="Waiting",
            metric=self.metric_age_of_oldest_request(),
            threshold=minutes * 60,
            meaning=f"A request to the endpoint has waited for more than {minutes} minutes.",
        )
        return [*self._machines.limits(), old]

    def habits(self) -> Sequence[Habit]:
        """None: whoever leaves requests in a queue may do so at any time."""
        return []

    def graphs(self) -> Sequence[Graph]:
        """Requests, what failed, the queue, and the machines."""
        deployed = metric_served_version(self.endpoint_name)
        return [
            Graph(title="Requests", left=[self.metric_invocations()], right=[deployed]),
            Graph(
                title="Errors",
                left=[self.metric_failures(), self.metric_server_errors(statistic="Sum")],
                right=[deployed],
            ),
            Graph(title="Queue", left=[self.metric_backlog()], right=[self.metric_age_of_oldest_request()]),
            self._machines.graph(deployed=deployed),
        ]

    def _topic(self, construct_id: str, platform: Platform) -> sns.Topic:
        return sns.Topic(self, construct_id, master_key=platform.keys.operations, enforce_ssl=True)

    def _grant_container(self, model: ApprovedModel, written: Sequence[str], platform: Platform) -> None:
        """SageMaker fetches requests, leaves answers and publishes as the container's role."""
        model.container.grant_read(self._bucket, self.input_prefix, self._key)
        for prefix in written:
            model.container.grant_write(self._bucket, prefix, self._key)
        allow(self.role, ["sns:Publish"], [self.success_topic.topic_arn, self.error_topic.topic_arn])
        allow(self.role, ["kms:Decrypt", "kms:GenerateDataKey"], [platform.keys.operations.key_arn])

    def _failures(self, platform: Platform) -> cloudwatch.IAlarm:
        """Tells people; one caller's unreadable request rolls no deployment back."""
        return OperatorAlarm(
            self,
            "InvocationsFail",
            metric=self.metric_failures().with_(period=MINUTE),
            threshold=1,
            description=f"Requests to {self.endpoint_name} end without an answer.",
            runbook="docs/runbook.md#asynchronous-requests",
            topic=platform.topic.topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        ).alarm

    def _inference(self, specification: ModelSpecification) -> sagemaker.CfnEndpointConfig.AsyncInferenceConfigProperty:
        serving = self._serving
        own = f"s3://{self._bucket.bucket_name}/{specification.name}"
        return sagemaker.CfnEndpointConfig.AsyncInferenceConfigProperty(
            client_config=sagemaker.CfnEndpointConfig.AsyncInferenceClientConfigProperty(
                max_concurrent_invocations_per_instance=serving.max_concurrent_invocations
            ),
            output_config=sagemaker.CfnEndpointConfig.AsyncInferenceOutputConfigProperty(
                s3_output_path=f"{own}/{serving.output_prefix}",
                s3_failure_path=f"{own}/{serving.failure_prefix}",
                kms_key_id=self._key.key_arn,
                notification_config=sagemaker.CfnEndpointConfig.AsyncInferenceNotificationConfigProperty(
                    success_topic=self.success_topic.topic_arn, error_topic=self.error_topic.topic_arn
                ),
            ),
        )
