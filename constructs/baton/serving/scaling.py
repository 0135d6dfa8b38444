"""As many instances as the traffic needs, within what the environment pays for."""

from aws_cdk import aws_applicationautoscaling as autoscaling
from constructs import Construct

from baton.serving.endpoint import VARIANT, HostedEndpoint
from baton.serving.fleet import Fleet
from baton.specification.capacity import ServingCapacity
from baton.specification.scaling import Scaling, ScheduledCapacity

SCALE_OUT_COOLDOWN = 60  # seconds: more traffic will not wait
SCALE_IN_COOLDOWN = 600  # seconds: a pause is not the end of the day

Policy = autoscaling.CfnScalingPolicy
Target = autoscaling.CfnScalableTarget

PREDEFINED = {
    "invocations": "SageMakerVariantInvocationsPerInstance",
    "concurrency": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}


def scalable_variant(
    scope: Construct,
    construct_id: str,
    *,
    endpoint: HostedEndpoint,
    least: int,
    most: int,
    scheduled: list[Target.ScheduledActionProperty] | None = None,
) -> Target:
    """The number of instances of the endpoint's variant, as something that scales; it goes before the endpoint does."""
    target = Target(
        scope,
        construct_id,
        service_namespace="sagemaker",
        scalable_dimension="sagemaker:variant:DesiredInstanceCount",
        resource_id=f"endpoint/{endpoint.endpoint_name}/variant/{VARIANT}",
        min_capacity=least,
        max_capacity=most,
        scheduled_actions=scheduled,
    )
    target.add_resource_dependency(endpoint.resource)
    return target


class TrafficScaling(Construct):
    """Follows the requests that an instance has to answer, and the clock where the model's file says so.

    Args:
        endpoint: What scales.
        fleet: Scaling exists only while the endpoint does, and nobody changes its instance type.
        capacity: The fewest and the most instances.
        scaling: What is followed.
        invocations_per_instance: What one instance should answer in a minute.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: HostedEndpoint,
        fleet: Fleet,
        capacity: ServingCapacity,
        scaling: Scaling,
        invocations_per_instance: int,
    ) -> None:
        super().__init__(scope, construct_id)
        target = scalable_variant(
            self,
            "Resource",
            endpoint=endpoint,
            least=capacity.instance_count,
            most=capacity.max_instance_count,
            scheduled=[_action(number, entry, capacity) for number, entry in enumerate(scaling.schedule)] or None,
        )
        name, aim = (
            ("InvocationsPerInstance", invocations_per_instance)
            if scaling.by == "invocations"
            else ("ConcurrentRequestsPerInstance", scaling.concurrent_requests_per_instance)
        )
        Policy(
            self,
            name,
            policy_name=name,
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=Policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=aim,
                scale_out_cooldown=SCALE_OUT_COOLDOWN,
                scale_in_cooldown=SCALE_IN_COOLDOWN,
                predefined_metric_specification=Policy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type=PREDEFINED[scaling.by]
                ),
            ),
        )
        fleet.only_while_scaled(self)


def _action(number: int, entry: ScheduledCapacity, capacity: ServingCapacity) -> Target.ScheduledActionProperty:
    """The most instances stay what the environment pays for; only the least follow the clock."""
    return Target.ScheduledActionProperty(
        scheduled_action_name=f"Schedule{number}",
        schedule=entry.at,
        timezone=entry.timezone,
        scalable_target_action=Target.ScalableTargetActionProperty(
            min_capacity=entry.instances_of(capacity), max_capacity=capacity.max_instance_count
        ),
    )
