"""The platform's keys, one for each purpose, so that a grant on one never opens the others."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from baton.foundation.taker import Taker, in_other_accounts


class PlatformKeys(Construct):
    """Four customer-managed keys, rotated every year.

    `data` covers the zones that name nobody, `models` the artefacts and their evidence, `operations` logs, queues,
    topics and tables, `vault` all that still names people: raw data, surrogates, and the secrets that make them.
    People and roles of the account are let in by their own policies; only services that act for nobody's role appear
    in the key policies.

    Args:
        removal_policy: What becomes of the keys when they leave the template. A deleted key takes all its data along.

    See:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """

    def __init__(self, scope: Construct, construct_id: str, *, removal_policy: cdk.RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self.data = self._key("Data", "Baton: curated, features and monitoring zones", removal_policy)
        self.models = self._key("Models", "Baton: model artefacts, their volumes and their evidence", removal_policy)
        self.operations = self._key("Operations", "Baton: logs, queues, topics and tables", removal_policy)
        self.vault = self._key("Vault", "Baton: raw data, surrogates of people, and secrets", removal_policy)
        self._let_services_operate()

    def admit(self, takers: Sequence[Taker]) -> None:
        """Let environments of other accounts decrypt artefacts and evidence, as S3 hands them out."""
        stack = cdk.Stack.of(self)
        for taker in in_other_accounts(takers):
            self.models.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"{taker.sid}Decrypts",
                    principals=[taker.roles()],
                    actions=["kms:Decrypt"],
                    resources=["*"],
                    conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
                )
            )

    def _key(self, construct_id: str, description: str, removal_policy: cdk.RemovalPolicy) -> kms.Key:
        return kms.Key(
            self, construct_id, description=description, enable_key_rotation=True, removal_policy=removal_policy
        )

    def _let_services_operate(self) -> None:
        """Log groups are encrypted by the service itself; events and alarms reach encrypted topics and queues."""
        stack = cdk.Stack.of(self)
        log_groups = stack.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisAccount",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            )
        )
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            )
        )
        # EventBridge tells KMS no source account when it delivers to a topic or a queue: with a condition here every
        # notification would be dropped without a sound. The policies of the topic and the queues name the rules.
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventDelivery",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
            )
        )
