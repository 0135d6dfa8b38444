"""The topic that tells people."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cw_actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class NotificationTopic(Construct):
    """An encrypted topic that alarms and event rules may publish to, and the people who read it.

    `topic` is handed out as a reference: what others build on it cannot widen its policy, which is written here, once.

    Args:
        key: Encrypts the messages. Its policy must admit CloudWatch and EventBridge.
        addresses: The e-mail addresses to tell; each has to confirm its subscription.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, addresses: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        resource = sns.Topic(self, "Resource", master_key=key, enforce_ssl=True)
        for address in addresses:
            resource.add_subscription(subscriptions.EmailSubscription(address))
        resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[resource.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )
        # No condition: what EventBridge tells SNS about the source is not documented, and a condition that it does
        # not meet would silence every notification.
        resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventRules",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[resource.topic_arn],
            )
        )
        self.topic = sns.Topic.from_topic_attributes(
            self, "Reference", topic_arn=resource.topic_arn, key_arn=key.key_arn
        )
        self.alarm_action = cw_actions.SnsAction(self.topic)
