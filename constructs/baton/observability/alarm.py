"""An alarm that somebody can act on."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cw_actions
from aws_cdk import aws_sns as sns
from constructs import Construct


class OperatorAlarm(Construct):
    """An alarm that says what happened, what to do, and whom it tells.

    Args:
        metric: What is watched.
        threshold: The value that alarms, in the metric's unit.
        description: What is wrong when this alarms, in one sentence.
        runbook: What to do about it: a section of the runbook.
        topic: Whom to tell.
        treat_missing_data: What silence means. There is no default, because no value is right for every metric.
        comparison: How the metric is held against the threshold.
        evaluation_periods: How many of the metric's periods are looked at.
        datapoints_to_alarm: How many of them must breach; all of them unless told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        runbook: str,
        topic: sns.ITopic,
        treat_missing_data: cloudwatch.TreatMissingData,
        comparison: cloudwatch.ComparisonOperator = (cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
        evaluation_periods: int = 1,
        datapoints_to_alarm: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarm = cloudwatch.Alarm(
            self,
            "Resource",
            metric=metric,
            threshold=threshold,
            alarm_description=f"{description} Runbook: {runbook}",
            comparison_operator=comparison,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm,
            treat_missing_data=treat_missing_data,
        )
        self.alarm.add_alarm_action(cw_actions.SnsAction(topic))
