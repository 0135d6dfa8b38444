"""Real-time serving."""

from collections.abc import Sequence

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.observability.dashboard import Graph
from baton.observability.strain import Limit
from baton.platform import Platform
from baton.serving.alarms import EndpointAlarms
from baton.serving.approved_model import ApprovedModel
from baton.serving.deployment import GuardedDeployment
from baton.serving.endpoint import VARIANT, HostedEndpoint
from baton.serving.endpoint_strain import InstanceMetrics
from baton.serving.fleet import Fleet
from baton.serving.kind import Holding
from baton.serving.metrics import metric_served_version
from baton.serving.online_explainer import OnlineExplainer
from baton.serving.second_variant import SecondVariant
from baton.serving.served_version import ServedVersion
from baton.specification.model import ModelSpecification
from baton.specification.serving import RealtimeServing


class RealtimeEndpoint(HostedEndpoint):
    """The approved model behind an HTTPS endpoint whose traffic is captured.

    Args:
        platform: Keys and zones.
        specification: The model.
        serving: How it is served.
        model: The approved version.
        version: Which version that is.
        fleet: On which machines it runs.
        deployment: How the endpoint moves to the next version.
        second: A challenger, or a shadow, beside it.
        explainer: What explains its answers.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
    """

    holds: frozenset[Holding] = frozenset({"endpoint", "instances"})

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        serving: RealtimeServing,
        model: ApprovedModel,
        version: ServedVersion,
        fleet: Fleet,
        deployment: GuardedDeployment,
        second: SecondVariant | None = None,
        explainer: OnlineExplainer | None = None,
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
        self.max_latency_ms = serving.max_latency_ms
        if serving.scaling.schedule:
            self.holds = frozenset({*self.holds, "scheduled_scaling"})
        self._machines = InstanceMetrics(
            endpoint_name=self.endpoint_name, variant=VARIANT, instance_type=serving.instance_type
        )
        self.deployment_limit = deployment.time_limit
        self.capture_uri = f"s3://{platform.zones.monitoring.bucket_name}/{specification.name}/capture"
        model.container.grant_write(platform.zones.monitoring, f"{specification.name}/capture/", platform.keys.data)
        self.alarms = EndpointAlarms(
            self,
            "Alarms",
            errors=self.metric_server_errors(),
            latency=self.metric_model_latency(),
            max_latency_ms=serving.max_latency_ms,
            topic=platform.topic.topic,
        ).all
        if second is not None and second.answers:
            self.alarms += EndpointAlarms(
                self,
                "ChallengerAlarms",
                errors=self.metric_server_errors(variant=second.name),
                latency=self.metric_model_latency(variant=second.name),
                max_latency_ms=serving.max_latency_ms,
                topic=platform.topic.topic,
            ).all
        self.alarms += self._business.all
        served = sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=VARIANT,
            model_name=model.model_name,
            instance_type=fleet.instance_type,
            initial_instance_count=deployment.rollout.capacity.instance_count,
            initial_variant_weight=second.weight_of_served if second else 1,
        )
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=platform.keys.models.key_arn,
            production_variants=[served, *(second.production(fleet) if second else [])],
            shadow_production_variants=second.shadow(fleet) if second else None,
            data_capture_config=self._capture(platform, serving.capture_percent),
        )
        if explainer is not None:
            explainer.add_to(config)
        self._host(
            config,
            deployment_config=deployment.render(self.alarms),
            except_weights=second is not None,
        )

    def limits(self) -> Sequence[Limit]:
        """Requests, and the machines."""
        return [*self._machines.limits(), *super().limits()]

    def graphs(self) -> Sequence[Graph]:
        """Requests, errors, latency, and the machines."""
        return [*super().graphs(), self._machines.graph(deployed=metric_served_version(self.endpoint_name))]

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
