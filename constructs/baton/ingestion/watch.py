"""Who hears when data does not come, comes late, or is not what it was."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.ingestion.metrics import metric
from baton.observability.alarm import OperatorAlarm
from baton.observability.failure_notice import FailureNotice
from baton.platform import Platform
from baton.specification.model import ModelSpecification

HOUR = cdk.Duration.hours(1)
LEAST_PERCENT = 50
"""Of the rows that the last week's runs published. CloudWatch's own anomaly detection learns from many points, and a
nightly load gives one a day; nor can an alarm look a week back. So the record step compares, and the alarm judges."""


class IngestionWatch(Construct):
    """A notice of every failed run, and alarms on lateness, on a fall in volume, and on rejected rows.

    Volume and rejected rows keep their state between two runs: the alarm rings once, and until a run finds it mended.

    Args:
        platform: Keys and notifications.
        model: How late is late.
        machine: The workflow.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        machine: sfn.StateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._model = model
        self._tell_of_failures(machine)
        self.alarms: list[cloudwatch.IAlarm] = [self._late(), self._volume(), self._rejected()]

    def _tell_of_failures(self, machine: sfn.StateMachine) -> None:
        what = f"The ingestion of {self._model.name}"
        rule = events.Rule(
            self,
            "Failed",
            description=f"{what} failed, took too long or was stopped",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [machine.state_machine_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
        )
        run, status, cause = (events.EventField.from_path(f"$.detail.{name}") for name in ("name", "status", "cause"))
        FailureNotice(
            self,
            "FailureNotice",
            rule=rule,
            key=self._platform.keys.operations,
            topic=self._platform.topic.topic,
            what=what,
            message=f"Baton {self._platform.environment_name}: {what} ended run {run} as {status}: {cause}",
            runbook="docs/runbook.md#etl-failed",
        )

    def _late(self) -> cloudwatch.IAlarm:
        """Only a run that saw something published counts; one that was skipped or failed does not hide lateness."""
        hours = self._model.automation.late_after_hours
        published = self._metric("PublishedRows", "SampleCount")
        return self._alarm(
            "Late",
            # Without FILL, CloudWatch would look further back than these hours for points to judge by.
            metric=cloudwatch.MathExpression(
                expression="FILL(published, 0)", using_metrics={"published": published}, period=HOUR, label="runs"
            ),
            threshold=1,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            description=f"No run has published the data of {self._model.name} for {hours} hours.",
            runbook="docs/runbook.md#data-late",
            evaluation_periods=hours,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _volume(self) -> cloudwatch.IAlarm:
        return self._alarm(
            "Volume",
            metric=self._metric("RowsOfUsual", "Minimum"),
            threshold=LEAST_PERCENT,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            description=f"The data of {self._model.name} has less than half of the rows of the last week.",
            runbook="docs/runbook.md#data-volume",
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )

    def _rejected(self) -> cloudwatch.IAlarm:
        return self._alarm(
            "Rejected",
            metric=self._metric("RejectedRows", "Maximum"),
            threshold=1,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            description=f"The quality rules of {self._model.name} have rejected rows.",
            runbook="docs/runbook.md#data-volume",
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )

    def _metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        return metric(name, platform=self._platform, model=self._model.name, statistic=statistic, period=HOUR)

    def _alarm(
        self,
        construct_id: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float,
        comparison: cloudwatch.ComparisonOperator,
        description: str,
        runbook: str,
        treat_missing_data: cloudwatch.TreatMissingData,
        evaluation_periods: int = 1,
    ) -> cloudwatch.IAlarm:
        return OperatorAlarm(
            self,
            construct_id,
            metric=metric,
            threshold=threshold,
            comparison=comparison,
            description=description,
            runbook=runbook,
            topic=self._platform.topic.topic,
            treat_missing_data=treat_missing_data,
            evaluation_periods=evaluation_periods,
        ).alarm
