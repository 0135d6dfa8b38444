"""Alarms on causes: many are watched, and one tells."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cw_actions
from aws_cdk import aws_sns as sns
from constructs import Construct

PERIOD = cdk.Duration.minutes(5)
PERIODS, BREACHING = 3, 3
"""A quarter of an hour: what passes sooner has mended itself."""

BAND = 3
"""Standard deviations on either side of what CloudWatch expects. Two are left by one point in twenty."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Something that has a known end.

    Args:
        name: What is watched, a construct's id.
        metric: Its metric.
        threshold: Where it becomes too much, in the metric's unit.
        meaning: What is wrong then, in one sentence.
    """

    name: str
    metric: cloudwatch.Metric
    threshold: float
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Habit:
    """Something without a known end, which CloudWatch compares with its own past: by hour and by weekday.

    Args:
        name: What is watched, a construct's id.
        metric: Its metric.
        meaning: What is wrong when it leaves the band, in one sentence.
        lower: Whether too little is as strange as too much.

    See:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html
    """

    name: str
    metric: cloudwatch.Metric
    meaning: str
    lower: bool = False


class Strain(Construct):
    """Tells once that something is under strain, whatever of it is.

    The alarms on limits and habits are silent. A cause seldom comes alone, and a full machine is slow, late and busy at
    once, so only the alarm over all of them sends a message; it names those that ring. Silence is no strain: nothing
    reports where nothing runs.

    Args:
        subject: What may be under strain, as in `The endpoint baton-dev-bank-churn`.
        limits: What has a known end.
        habits: What is compared with its past.
        runbook: What to do: a section of the runbook.
        topic: Whom to tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        subject: str,
        limits: Sequence[Limit],
        habits: Sequence[Habit],
        runbook: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._runbook = runbook
        self.causes: list[cloudwatch.IAlarm] = [
            *(self._limit(limit) for limit in limits),
            *(self._habit(habit) for habit in habits),
        ]
        ringing = [cloudwatch.AlarmRule.from_alarm(cause, cloudwatch.AlarmState.ALARM) for cause in self.causes]
        self.alarm = cloudwatch.CompositeAlarm(
            self,
            "Resource",
            alarm_rule=cloudwatch.AlarmRule.any_of(*ringing),
            alarm_description=f"{subject} is under strain; the alarms below this one say why. Runbook: {runbook}",
        )
        self.alarm.add_alarm_action(cw_actions.SnsAction(topic))

    def _limit(self, limit: Limit) -> cloudwatch.IAlarm:
        alarm = cloudwatch.Alarm(
            self,
            limit.name,
            metric=limit.metric.with_(period=PERIOD),
            threshold=limit.threshold,
            alarm_description=f"{limit.meaning} Runbook: {self._runbook}",
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=PERIODS,
            datapoints_to_alarm=BREACHING,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return _silent(alarm)

    def _habit(self, habit: Habit) -> cloudwatch.IAlarm:
        above = cloudwatch.ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD
        outside = cloudwatch.ComparisonOperator.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD
        alarm = cloudwatch.AnomalyDetectionAlarm(
            self,
            habit.name,
            metric=habit.metric.with_(period=PERIOD),
            std_devs=BAND,
            alarm_description=f"{habit.meaning} Runbook: {self._runbook}",
            comparison_operator=outside if habit.lower else above,
            evaluation_periods=PERIODS,
            datapoints_to_alarm=BREACHING,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return _silent(alarm)


def _silent(alarm: cloudwatch.Alarm) -> cloudwatch.IAlarm:
    Validations.of(alarm).acknowledge(
        Acknowledgment(
            id="NIST.800.53.R5-CloudWatchAlarmAction",
            reason="The composite alarm over this one notifies the operators, once for all causes that come together.",
        )
    )
    return alarm
