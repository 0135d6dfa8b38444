"""How another account hears of what happens to a model's versions."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.foundation.taker import Taker
from baton.observability.dead_letters import DeadLetters
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions
from baton.registry.names import bus_name, forwarding_rule_name


class EventForwarding(Construct):
    """A rule that forwards the events of one group to the bus of an environment in another account.

    The rule has a name, because the policy of that bus admits its events by it. An event that is lost costs time and
    nothing else: the other environment looks regularly by itself.

    Args:
        platform: Keys and notifications.
        registry: The group.
        taker: The environment.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, platform: Platform, registry: ModelVersions, taker: Taker
    ) -> None:
        super().__init__(scope, construct_id)
        dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=platform.keys.operations,
            topic=platform.topic.topic,
            lost=f"{taker.environment} could not be told of a version in {registry.group_name}; it looks by itself.",
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description=f"Forwards the events of {registry.group_name} to {taker.environment}",
        )
        bus_arn = cdk.Stack.of(self).format_arn(
            service="events", resource="event-bus", resource_name=bus_name(taker.environment), account=taker.account
        )
        rule = registry.on_status_change(
            self,
            "Rule",
            name=forwarding_rule_name(registry.group_name, taker.environment),
            description=f"Tells {taker.environment} what happens to the versions of {registry.group_name}",
        )
        rule.add_target(
            targets.EventBus(
                events.EventBus.from_event_bus_arn(self, "Bus", bus_arn),
                role=self.role,
                dead_letter_queue=dead_letters.queue,
            )
        )
