"""The versions that an environment takes from another's registry, and how it hears of them."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from baton.registry.model_versions import ModelVersions
from baton.registry.names import bus_name, forwarding_rule_name, group_name
from baton.registry.stage_rule import stage_verdict


class TakenVersions(ModelVersions):
    """One model's versions in another environment's registry, of which those count that are approved for this one.

    Args:
        environment: The environment that takes them.
        owner: The environment that trains them.
        slug: The model's name as names of AWS resources have it.
        account: The owner's account; None where it is the same.
        later: The stages that come after this environment's.
        bus: Where the owner's account forwards the events; None where it is the same account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        owner: str,
        slug: str,
        account: str | None,
        later: Sequence[str],
        bus: events.IEventBus | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            group_name=group_name(owner, slug),
            account=account,
            stages=(environment, *later),
            verdict=stage_verdict(environment),
            bus=bus,
        )


class VersionsBus(Construct):
    """The bus on which an environment hears of the versions of another account: of those rules' events and no others.

    Args:
        environment: The environment that listens.
        account: The account of the registry.
        groups: The groups of its models.
        key: Encrypts events on the bus.

    See:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-example-policy-restrict-rule.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        account: str,
        groups: Sequence[str],
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(
            self,
            "Resource",
            event_bus_name=bus_name(environment),
            description=f"What happens to the versions that {environment} takes from another account",
            kms_key=key,
        )
        stack = cdk.Stack.of(self)
        rules = [
            stack.format_arn(
                service="events",
                resource="rule",
                resource_name=forwarding_rule_name(group, environment),
                account=account,
            )
            for group in groups
        ]
        self.bus.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RegistryForwards",
                principals=[iam.AccountPrincipal(account)],
                actions=["events:PutEvents"],
                resources=[self.bus.event_bus_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rules}},
            )
        )
