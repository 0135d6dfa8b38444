"""How an endpoint moves from one version to the next, and what makes it move back, in the terms of CloudFormation."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker

from baton.specification.deployment import Rollout

MOST_ALARMS = 10
"""SageMaker looks at no more of them."""


@dataclass(frozen=True, kw_only=True)
class GuardedDeployment:
    """A new fleet, or a new batch of it, watched while it bakes, with a way back.

    A canary of one instance is the smallest part of a fleet there is, however far it has scaled. A single instance
    cannot be divided, so all traffic moves at once, and the old instance waits beside it while the new one bakes.

    Args:
        rollout: Strategy, steps and waits.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
    """

    rollout: Rollout

    @property
    def time_limit(self) -> cdk.Duration:
        """When SageMaker gives up."""
        return cdk.Duration.minutes(self.rollout.limit_minutes)

    def render(self, alarms: Sequence[cloudwatch.IAlarm]) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
        """The endpoint's deployment configuration; any of `alarms` rolls a deployment back.

        Raises:
            ValueError: There are more alarms than SageMaker looks at.
        """
        if len(alarms) > MOST_ALARMS:
            raise ValueError(f"a deployment is rolled back by at most {MOST_ALARMS} alarms, got {len(alarms)}")
        rolling = self.rollout.strategy == "rolling"
        return sagemaker.CfnEndpoint.DeploymentConfigProperty(
            auto_rollback_configuration=sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
                alarms=[sagemaker.CfnEndpoint.AlarmProperty(alarm_name=alarm.alarm_name) for alarm in alarms]
            ),
            rolling_update_policy=self._rolling() if rolling else None,
            blue_green_update_policy=None if rolling else self._blue_green(),
        )

    def _rolling(self) -> sagemaker.CfnEndpoint.RollingUpdatePolicyProperty:
        """Back, it moves all at once: the batch is left out."""
        return sagemaker.CfnEndpoint.RollingUpdatePolicyProperty(
            maximum_batch_size=self._step(),
            wait_interval_in_seconds=self.rollout.wait_minutes * 60,
            maximum_execution_timeout_in_seconds=self.rollout.limit_minutes * 60,
        )

    def _blue_green(self) -> sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty:
        strategy = self.rollout.strategy
        return sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
                type=strategy.upper(),
                wait_interval_in_seconds=self.rollout.wait_minutes * 60,
                canary_size=self._step() if strategy == "canary" else None,
                linear_step_size=self._step() if strategy == "linear" else None,
            ),
            termination_wait_in_seconds=self.rollout.keep_minutes * 60,
            maximum_execution_timeout_in_seconds=self.rollout.limit_minutes * 60,
        )

    def _step(self) -> sagemaker.CfnEndpoint.CapacitySizeProperty:
        step = self.rollout.step
        if step.instances is not None:
            return sagemaker.CfnEndpoint.CapacitySizeProperty(type="INSTANCE_COUNT", value=step.instances)
        assert step.percent is not None, "a step is counted in one of both"
        return sagemaker.CfnEndpoint.CapacitySizeProperty(type="CAPACITY_PERCENT", value=step.percent)
