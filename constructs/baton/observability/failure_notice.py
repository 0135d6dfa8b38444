"""Tells people that a run failed, and that telling them failed."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from baton.observability.alarm import OperatorAlarm
from baton.observability.dead_letters import DeadLetters


class FailureNotice(Construct):
    """A message to the operators for every failed run, with a queue for messages that did not get through.

    Three alarms: a run failed; its notice did not go out; its notice lies in the queue.

    Args:
        rule: Hears of every failed run.
        key: Encrypts the queue.
        topic: Whom to tell.
        what: What runs, in a few words, such as `The ETL job of bank_churn`.
        message: What the operators read of one failure.
        runbook: What to do about it: a section of the runbook.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        rule: events.Rule,
        key: kms.IKey,
        topic: sns.ITopic,
        what: str,
        message: str,
        runbook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        notice = f"The notice that {what[0].lower()}{what[1:]} failed"
        dead_letters = DeadLetters(self, "DeadLetters", key=key, topic=topic, lost=f"{notice} could not be sent.")
        rule.add_target(
            targets.SnsTopic(
                topic, dead_letter_queue=dead_letters.queue, message=events.RuleTargetInput.from_text(message)
            )
        )
        self._alarm("RunFailed", _metric(rule, "TriggeredRules"), f"{what} failed.", runbook)
        self._alarm(
            "NoticeFailed",
            _metric(rule, "FailedInvocations"),
            f"{notice} did not reach its topic.",
            "docs/runbook.md#dead-letters",
        )

    def _alarm(self, construct_id: str, metric: cloudwatch.IMetric, description: str, runbook: str) -> None:
        OperatorAlarm(
            self,
            construct_id,
            metric=metric,
            threshold=1,
            description=description,
            runbook=runbook,
            topic=self._topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no event is the good case
        )


def _metric(rule: events.Rule, name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name=name,
        dimensions_map={"RuleName": rule.rule_name},
        statistic="Sum",
        period=cdk.Duration.minutes(5),
    )
