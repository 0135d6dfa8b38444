"""As many instances as requests are waiting, and none while none are."""

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from baton.serving.asynchronous_endpoint import AsynchronousEndpoint
from baton.serving.fleet import Fleet
from baton.serving.metrics import MINUTE
from baton.serving.scaling import SCALE_IN_COOLDOWN, SCALE_OUT_COOLDOWN, Policy, scalable_variant


class BacklogScaling(Construct):
    """Two policies: one follows the backlog of each instance, the other starts the first instance.

    Without an instance there is no backlog of each, so the first policy could never leave zero. The second hears from
    an alarm, which has a name so that a permission to change it can be held to this one alarm.

    Args:
        endpoint: What scales.
        fleet: Scaling exists only while the endpoint does, and nobody changes its instance type.
        max_instances: Never exceeded.
        backlog_per_instance: How many waiting requests are worth an instance.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: AsynchronousEndpoint,
        fleet: Fleet,
        max_instances: int,
        backlog_per_instance: int,
    ) -> None:
        super().__init__(scope, construct_id)
        target = scalable_variant(self, "Resource", endpoint=endpoint, least=0, most=max_instances)
        self._follow(target, endpoint.metric_backlog_per_instance(), backlog_per_instance)
        wake_up = self._wake_up(target)
        waiting = endpoint.metric_backlog_without_capacity()
        cloudwatch.CfnAlarm(
            self,
            "Waiting",
            alarm_name=endpoint.wake_up_alarm_name,
            alarm_description=f"Requests wait for {endpoint.endpoint_name}, which has no instance; it is started.",
            namespace=waiting.namespace,
            metric_name=waiting.metric_name,
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="EndpointName", value=endpoint.endpoint_name)],
            statistic="Average",
            period=int(MINUTE.to_seconds()),
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="missing",
            alarm_actions=[wake_up.ref],
        )
        fleet.only_while_scaled(self)

    def _follow(self, target: autoscaling.CfnScalableTarget, backlog: cloudwatch.Metric, aim: int) -> None:
        Policy(
            self,
            "BacklogPerInstance",
            policy_name="BacklogPerInstance",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=Policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=aim,
                scale_out_cooldown=SCALE_OUT_COOLDOWN,
                scale_in_cooldown=SCALE_IN_COOLDOWN,
                customized_metric_specification=Policy.CustomizedMetricSpecificationProperty(
                    namespace=backlog.namespace,
                    metric_name=backlog.metric_name,
                    statistic="Average",
                    dimensions=[
                        Policy.MetricDimensionProperty(name=name, value=str(value))
                        for name, value in (backlog.dimensions or {}).items()
                    ],
                ),
            ),
        )

    def _wake_up(self, target: autoscaling.CfnScalableTarget) -> autoscaling.CfnScalingPolicy:
        return Policy(
            self,
            "WakeUp",
            policy_name="WakeUp",
            policy_type="StepScaling",
            scaling_target_id=target.ref,
            step_scaling_policy_configuration=Policy.StepScalingPolicyConfigurationProperty(
                adjustment_type="ChangeInCapacity",
                cooldown=int(cdk.Duration.minutes(5).to_seconds()),
                metric_aggregation_type="Average",
                step_adjustments=[Policy.StepAdjustmentProperty(metric_interval_lower_bound=0, scaling_adjustment=1)],
            ),
        )
