"""The versions of one model, in whichever environment's registry they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

READING = ("sagemaker:DescribeModelPackageGroup", "sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage")


class ModelVersions(Construct):
    """A model package group that may be another environment's: who reads it, who decides in it, who hears of it.

    Args:
        group_name: The name of the group.
        account: The group's account; None where it is this stack's.
        stages: The stage that a version must be approved for, and the stages that come after it; none where the
            verdict of the registry's own officer is all there is to it.
        verdict: The conditions under which this environment's officer may update a version.
        bus: Where the group's events arrive; the account's default bus where it is None.

    Attributes:
        foreign: Whether the group lies in another account.
        reference: What API calls know the group by: its name, or its ARN where it is another account's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        account: str | None = None,
        stages: Sequence[str] = (),
        verdict: Mapping[str, Mapping[str, Any]],
        bus: events.IEventBus | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.group_name = group_name
        self.group_arn = stack.format_arn(
            service="sagemaker", resource="model-package-group", resource_name=group_name, account=account
        )
        self.versions_arn = stack.format_arn(
            service="sagemaker", resource="model-package", resource_name=f"{group_name}/*", account=account
        )
        self.foreign = account is not None
        self.reference = self.group_arn if self.foreign else group_name
        self.stages = tuple(stages)
        self.verdict = verdict
        self._bus = bus

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` list the versions and read each of them."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(READING),
            resource_arns=[self.group_arn, self.versions_arn],
        )

    def on_status_change(
        self, scope: Construct, construct_id: str, *, description: str, name: str | None = None
    ) -> events.Rule:
        """A rule that hears every registration, approval and rejection of this model's versions.

        It stands in `scope`, because a rule belongs to the stack of what it starts. It has a `name` where another
        account knows it by that.
        """
        return events.Rule(
            scope,
            construct_id,
            rule_name=name,
            description=description,
            event_bus=self._bus,
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={"ModelPackageGroupName": [self.group_name]},
            ),
        )
