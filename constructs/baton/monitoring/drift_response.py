"""From a violation to people, and to a new training."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from baton.foundation.runtime_code import HandlerFunction
from baton.monitoring.metrics import metric_unknown, metric_violations
from baton.monitoring.plan import MonitorPlan
from baton.observability.alarm import OperatorAlarm
from baton.observability.dead_letters import DeadLetters
from baton.platform import Platform

UNANSWERED_RUNS = 3
"""The first hours of an endpoint have no answer for anyone, so one run without an answer is no alarm."""


class DriftResponse(Construct):
    """An alarm for what each monitor finds and one for its silence; what it finds starts a training.

    The function that starts a training holds the brake: cooldown and cap. A training ends in a version that waits for
    approval, so traffic that was bent on purpose can cost a training, never change what is served.

    Args:
        platform: Keys and notifications.
        model: The model's name.
        endpoint_name: What is watched.
        plans: What is watched.
        start_training: Starts a training for a reason.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: str,
        endpoint_name: str,
        plans: Sequence[MonitorPlan],
        start_training: HandlerFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._model = model
        self._endpoint_name = endpoint_name
        self.drift_alarms = [self._violations(plan) for plan in plans]
        self.silence_alarms = [self._silence(plan) for plan in plans]
        if self.drift_alarms:  # EventBridge refuses a rule that hears of nothing
            self._retrain(start_training)

    def _retrain(self, start_training: HandlerFunction) -> None:
        dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=self._platform.keys.operations,
            topic=self._platform.topic.topic,
            lost=f"A training of {self._model} after drift could not be started.",
        )
        rule = events.Rule(
            self,
            "Retrain",
            description=f"A monitor of {self._model} found a violation",
            event_pattern=events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                resources=[alarm.alarm_arn for alarm in self.drift_alarms],
                detail={"state": {"value": ["ALARM"]}},
            ),
        )
        rule.add_target(
            targets.LambdaFunction(
                start_training.function,
                dead_letter_queue=dead_letters.queue,
                retry_attempts=5,
                max_event_age=cdk.Duration.hours(2),
            )
        )

    def _violations(self, plan: MonitorPlan) -> cloudwatch.Alarm:
        """Its state is the latest answer's: between two answers nothing is known, so nothing changes."""
        return OperatorAlarm(
            self,
            f"{plan.construct_id}Drift",
            metric=metric_violations(plan, endpoint_name=self._endpoint_name, period=cdk.Duration.minutes(1)),
            threshold=1,
            description=f"{self._model}: the monitor of {plan.name} found a violation.",
            runbook="docs/runbook.md#drift",
            topic=self._platform.topic.topic,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        ).alarm

    def _silence(self, plan: MonitorPlan) -> cloudwatch.Alarm:
        """No data at all means that nothing is served; a schedule that fails to fire has a dead-letter queue."""
        return OperatorAlarm(
            self,
            f"{plan.construct_id}Silent",
            metric=metric_unknown(
                plan,
                endpoint_name=self._endpoint_name,
                period=cdk.Duration.minutes(plan.interval_minutes),
                statistic="Minimum",
            ),
            threshold=1,
            description=f"{self._model}: the monitor of {plan.name} could not answer {UNANSWERED_RUNS} times in a row.",
            runbook="docs/runbook.md#silent-monitor",
            topic=self._platform.topic.topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            evaluation_periods=UNANSWERED_RUNS,
        ).alarm
