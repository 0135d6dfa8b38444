"""Tells people that an ETL run failed, and that telling them failed."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from baton.etl.glue_job import GlueEtlJob
from baton.observability.alarm import OperatorAlarm
from baton.observability.dead_letters import DeadLetters
from baton.platform import Platform


class FailureNotice(Construct):
    """A message to the operators for every failed run, with a queue for messages that did not get through.

    Three alarms: a run failed; its notice did not go out; its notice lies in the queue.

    Args:
        platform: The environment's foundation.
        job: The job to watch.
    """

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform, job: GlueEtlJob) -> None:
        super().__init__(scope, construct_id)
        dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=platform.keys.operations,
            topic=platform.topic.topic,
            what="The notice of a failed ETL run",
        )
        rule = job.on_failure(
            "Failed",
            target=targets.SnsTopic(
                platform.topic.topic,
                dead_letter_queue=dead_letters.queue,
                message=events.RuleTargetInput.from_text(
                    f"Baton {platform.environment_name}: ETL job {events.EventField.from_path('$.detail.jobName')}, "
                    f"run {events.EventField.from_path('$.detail.jobRunId')} ended as "
                    f"{events.EventField.from_path('$.detail.state')}: "
                    f"{events.EventField.from_path('$.detail.message')}"
                ),
            ),
        )
        self._alarm(
            "RunFailed",
            platform,
            metric=_rule_metric(rule, "TriggeredRules"),
            description="An ETL run failed, so training sees older data than it should.",
            runbook="docs/runbook.md#etl-failed",
        )
        self._alarm(
            "NoticeFailed",
            platform,
            metric=_rule_metric(rule, "FailedInvocations"),
            description="The notice of a failed ETL run did not reach its topic.",
            runbook="docs/runbook.md#dead-letters",
        )

    def _alarm(
        self, construct_id: str, platform: Platform, *, metric: cloudwatch.IMetric, description: str, runbook: str
    ) -> None:
        OperatorAlarm(
            self,
            construct_id,
            metric=metric,
            threshold=1,
            description=description,
            runbook=runbook,
            topic=platform.topic.topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no event is the good case
        )


def _rule_metric(rule: events.Rule, name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name=name,
        dimensions_map={"RuleName": rule.rule_name},
        statistic="Sum",
        period=cdk.Duration.minutes(5),
    )
