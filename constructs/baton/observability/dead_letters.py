"""Where events go that could not be delivered, so that none is lost without a trace."""

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from baton.observability.alarm import OperatorAlarm
from baton.permissions import allow


class DeadLetters(Construct):
    """An encrypted queue for undeliverable events, with an alarm on the first one.

    Args:
        key: Encrypts the queue. Its policy must admit EventBridge.
        topic: Whom to tell.
        lost: What it means that an event lies there, in one sentence.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, topic: sns.ITopic, lost: str) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.queue = sqs.Queue(
            self,
            "Resource",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),  # the longest SQS offers: time to mend and redrive
        )
        Validations.of(self.queue).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="This is a dead-letter queue: of event rules and schedules, where cdk-nag looks for none.",
            )
        )
        self.alarm = OperatorAlarm(
            self,
            "Alarm",
            metric=self.queue.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(1), statistic="Maximum"
            ),
            threshold=1,
            description=lost,
            runbook="docs/runbook.md#dead-letters",
            topic=topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        ).alarm

    def grant_send(self, role: iam.Role) -> None:
        """Let `role` leave an event here. EventBridge itself needs no role; its Scheduler acts as one."""
        allow(role, ["sqs:SendMessage"], [self.queue.queue_arn])
        allow(role, ["kms:Decrypt", "kms:GenerateDataKey"], [self._key.key_arn])
