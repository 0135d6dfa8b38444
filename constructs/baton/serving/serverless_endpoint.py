"""Serving without instances."""

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.platform import Platform
from baton.serving.alarms import EndpointAlarms
from baton.serving.approved_model import ApprovedModel
from baton.serving.endpoint import VARIANT, HostedEndpoint
from baton.serving.served_version import ServedVersion
from baton.specification.model import ModelSpecification
from baton.specification.serving import ServerlessServing


class ServerlessEndpoint(HostedEndpoint):
    """The approved model behind an endpoint that starts when it is asked.

    It stands outside the private network, nothing is captured, and a new version takes over all at once: SageMaker
    offers no other way, and the model's file has to accept that. The alarms tell people; they roll nothing back.

    Args:
        platform: Keys and zones.
        specification: The model.
        serving: How it is served.
        model: The approved version.
        version: Which version that is.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        serving: ServerlessServing,
        model: ApprovedModel,
        version: ServedVersion,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            platform=platform,
            specification=specification,
            container=model.container,
            version=version,
        )
        own = EndpointAlarms(
            self,
            "Alarms",
            errors=self.metric_server_errors(),
            latency=self.metric_model_latency(),
            max_latency_ms=serving.max_latency_ms,
            topic=platform.topic.topic,
        )
        self.alarms = [*own.all, *self._business.all]
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=platform.keys.models.key_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.model_name,
                    initial_variant_weight=1,
                    serverless_config=sagemaker.CfnEndpointConfig.ServerlessConfigProperty(
                        memory_size_in_mb=serving.memory_mb,
                        max_concurrency=serving.max_concurrency,
                        provisioned_concurrency=serving.provisioned_concurrency,
                    ),
                )
            ],
        )
        self._host(config, retain=False)
