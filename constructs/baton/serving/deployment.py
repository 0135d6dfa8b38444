"""How an endpoint moves from one version to the next, and what makes it move back."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from baton.observability.alarm import OperatorAlarm

PROVISIONING = cdk.Duration.minutes(30)
"""What SageMaker may take, beside the waits, to start one fleet and to stop the other."""

ERROR_RATE = 0.05
MINUTE = cdk.Duration.minutes(1)


@dataclass(frozen=True, kw_only=True)
class BlueGreenDeployment:
    """A new fleet beside the old one, watched while it bakes, with a way back.

    With two instances or more, one of them is the canary: SageMaker wants a canary of at most half the fleet, and one
    instance is the smallest there is, however far the fleet has scaled. A single instance cannot be halved, so all
    traffic moves at once, and the old instance waits beside it while the new one bakes.

    Args:
        instance_count: How many instances the endpoint starts with.
        bake: How long the alarms watch before the old fleet is given up.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html
    """

    instance_count: int
    bake: cdk.Duration

    @property
    def time_limit(self) -> cdk.Duration:
        """When SageMaker gives up: more than both waits together, or no deployment could end."""
        return self.bake.plus(self.bake).plus(PROVISIONING)

    def render(self, alarms: list[cloudwatch.IAlarm]) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
        """The endpoint's deployment configuration; any of `alarms` rolls a deployment back."""
        return sagemaker.CfnEndpoint.DeploymentConfigProperty(
            auto_rollback_configuration=sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
                alarms=[sagemaker.CfnEndpoint.AlarmProperty(alarm_name=alarm.alarm_name) for alarm in alarms]
            ),
            blue_green_update_policy=sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
                traffic_routing_configuration=self._routing(),
                termination_wait_in_seconds=int(self.bake.to_seconds()),
                maximum_execution_timeout_in_seconds=int(self.time_limit.to_seconds()),
            ),
        )

    def _routing(self) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
        seconds = int(self.bake.to_seconds())
        if self.instance_count == 1:
            return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
                type="ALL_AT_ONCE", wait_interval_in_seconds=seconds
            )
        return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
            type="CANARY",
            wait_interval_in_seconds=seconds,
            canary_size=sagemaker.CfnEndpoint.CapacitySizeProperty(type="INSTANCE_COUNT", value=1),
        )


class EndpointAlarms(Construct):
    """What must not happen while an endpoint serves, least of all while a new version bakes.

    They stand whether a version is served or not, so they exist before the first request does. Without requests there
    is nothing wrong.

    Args:
        errors: The share of requests that ended in a 5XX.
        latency: The time the model takes, in microseconds.
        max_latency_ms: What is too long.
        topic: Whom to tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        errors: cloudwatch.Metric,
        latency: cloudwatch.Metric,
        max_latency_ms: int,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.server_errors = OperatorAlarm(
            self,
            "ServerErrors",
            metric=errors.with_(period=MINUTE),
            threshold=ERROR_RATE,
            description=f"More than {ERROR_RATE:.0%} of the requests to an endpoint end in a server error.",
            runbook="docs/runbook.md#endpoint-errors",
            topic=topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        ).alarm
        self.slow_answers = OperatorAlarm(
            self,
            "SlowAnswers",
            metric=latency.with_(period=MINUTE),
            threshold=max_latency_ms * 1000,
            description=f"One request in a hundred takes the model longer than {max_latency_ms} ms.",
            runbook="docs/runbook.md#endpoint-latency",
            topic=topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        ).alarm
        self.all: list[cloudwatch.IAlarm] = [self.server_errors, self.slow_answers]
