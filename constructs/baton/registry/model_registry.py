"""The model registry: one group of versions for each model."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.registry.approval_rule import PENDING, group_policy

READING = ("sagemaker:DescribeModelPackageGroup", "sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage")


class ModelRegistry(Construct):
    """The versions of one model, each bearing a person's word or waiting for it.

    The group has a name, because callers register under it and events are matched by it. Its policy binds every
    principal of the account: a version enters pending, and the compliance officer alone decides.

    Args:
        group_name: The name of the group, unique in the account and region.
        description: What the model is for, as whoever opens the registry reads it.
        removal_policy: What becomes of the group when it leaves the template. A group that holds versions cannot be
            deleted before them.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        description: str,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.group_name = group_name
        self.group_arn = stack.format_arn(service="sagemaker", resource="model-package-group", resource_name=group_name)
        self.versions_arn = stack.format_arn(
            service="sagemaker", resource="model-package", resource_name=f"{group_name}/*"
        )
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Resource",
            model_package_group_name=group_name,
            model_package_group_description=description,
            model_package_group_policy=group_policy(group_arn=self.group_arn, versions_arn=self.versions_arn),
        )
        group.apply_removal_policy(removal_policy)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` list the versions and read each of them."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(READING),
            resource_arns=[self.group_arn, self.versions_arn],
        )

    def grant_register(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` add versions that wait for approval, and none that is approved already."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sagemaker:CreateModelPackage"],
            resource_arns=[self.group_arn, self.versions_arn],
            conditions={"StringEquals": {"sagemaker:ModelApprovalStatus": PENDING}},
        )

    def on_status_change(self, scope: Construct, construct_id: str, *, description: str) -> events.Rule:
        """A rule that hears every registration, approval and rejection of this model's versions.

        It stands in `scope`, because a rule belongs to the stack of what it starts.
        """
        return events.Rule(
            scope,
            construct_id,
            description=description,
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={"ModelPackageGroupName": [self.group_name]},
            ),
        )
