"""The model registry: one group of versions for each model."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.foundation.taker import Taker
from baton.registry.approval_rule import PENDING, group_policy
from baton.registry.model_versions import ModelVersions
from baton.registry.stage_rule import own_verdict, sharing_statements


class ModelRegistry(ModelVersions):
    """The versions of one model, each bearing a person's word or waiting for it.

    The group has a name, because callers register under it and events are matched by it. Its policy binds every
    principal of the account: a version enters pending, and the compliance officer alone decides.

    Args:
        group_name: The name of the group, unique in the account and region.
        description: What the model is for, as whoever opens the registry reads it.
        removal_policy: What becomes of the group when it leaves the template. A group that holds versions cannot be
            deleted before them.
        environment: Whose registry it is; needed only with `takers`.
        takers: The environments that take their versions from here, in the order in which a version passes them.

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
        environment: str = "",
        takers: Sequence[Taker] = (),
    ) -> None:
        super().__init__(scope, construct_id, group_name=group_name, verdict=own_verdict(shared=bool(takers)))
        arns = {"group_arn": self.group_arn, "versions_arn": self.versions_arn}
        policy = group_policy(**arns)
        if takers:
            region = Stack.of(self).region
            policy.add_statements(*sharing_statements(**arns, owner=environment, takers=takers, region=region))
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Resource",
            model_package_group_name=group_name,
            model_package_group_description=description,
            model_package_group_policy=policy,
        )
        group.apply_removal_policy(removal_policy)

    def grant_register(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` add versions that wait for approval, and none that is approved already."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sagemaker:CreateModelPackage"],
            resource_arns=[self.group_arn, self.versions_arn],
            conditions={"StringEquals": {"sagemaker:ModelApprovalStatus": PENDING}},
        )
