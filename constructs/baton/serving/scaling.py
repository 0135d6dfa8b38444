"""As many instances as the traffic needs, within what the environment pays for."""

from aws_cdk import aws_applicationautoscaling as autoscaling
from constructs import Construct

from baton.serving.realtime_endpoint import VARIANT, RealtimeEndpoint
from baton.serving.served_version import ServedVersion

SCALE_OUT_COOLDOWN = 60  # seconds: more traffic will not wait
SCALE_IN_COOLDOWN = 600  # seconds: a pause is not the end of the day


class EndpointScaling(Construct):
    """Follows the number of requests an instance has to answer.

    Args:
        endpoint: What scales.
        version: Scaling exists only while the endpoint does.
        min_instances: Kept however little there is to do.
        max_instances: Never exceeded.
        invocations_per_instance: What one instance should answer in a minute.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: RealtimeEndpoint,
        version: ServedVersion,
        min_instances: int,
        max_instances: int,
        invocations_per_instance: int,
    ) -> None:
        super().__init__(scope, construct_id)
        target = autoscaling.CfnScalableTarget(
            self,
            "Resource",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{endpoint.endpoint_name}/variant/{VARIANT}",
            min_capacity=min_instances,
            max_capacity=max_instances,
        )
        target.add_resource_dependency(endpoint.resource)
        policy = autoscaling.CfnScalingPolicy(
            self,
            "InvocationsPerInstance",
            policy_name="InvocationsPerInstance",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=(
                autoscaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
                    target_value=invocations_per_instance,
                    scale_out_cooldown=SCALE_OUT_COOLDOWN,
                    scale_in_cooldown=SCALE_IN_COOLDOWN,
                    predefined_metric_specification=(
                        autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                            predefined_metric_type="SageMakerVariantInvocationsPerInstance"
                        )
                    ),
                )
            ),
        )
        version.only_while_served(target, policy)
