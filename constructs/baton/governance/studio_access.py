"""What opening Studio and working in a private space of it takes."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from baton.governance.bounded_role import Duty
from baton.governance.duties import NO_RESOURCE

OWNED = "The person names the spaces, and SageMaker the apps in them; the condition bounds them to their owner's."


class StudioAccess:
    """The duties around one user profile.

    Args:
        stack: Where the domain lies.
        domain_id: The domain.
        profile: The user profile.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-jl-admin-guide-permissions.html
    """

    def __init__(self, *, stack: cdk.Stack, domain_id: str, profile: str) -> None:
        self._stack = stack
        self._domain_id = domain_id
        self._profile_arn = self._arn("user-profile", profile)

    def open(self) -> Duty:
        """Get the address at which this profile, and no other, is worn."""
        return Duty(actions=["sagemaker:CreatePresignedDomainUrl"], resources=[self._profile_arn])

    def work(self, key: kms.IKey) -> list[Duty]:
        """Make private spaces, run JupyterLab in them, and keep their volumes under `key`.

        A shared space is one that its owner's condition lets nobody make: its notebooks would run as whoever opened it.
        """
        spaces, apps = self._arn("space", "*"), self._arn("app", "*")
        mine = {
            "ArnEquals": {"sagemaker:OwnerUserProfileArn": self._profile_arn},
            "StringEquals": {"sagemaker:SpaceSharingType": "Private"},
        }
        return [
            self.open(),
            Duty(
                actions=["sagemaker:CreateSpace", "sagemaker:DeleteSpace", "sagemaker:UpdateSpace"],
                resources=[spaces],
                conditions=mine,
                why_wildcard=OWNED,
            ),
            Duty(
                actions=["sagemaker:CreateApp", "sagemaker:DeleteApp"],
                resources=[apps],
                conditions=mine,
                why_wildcard=OWNED,
            ),
            # Studio tags what it makes, and only as it makes it.
            Duty(
                actions=["sagemaker:AddTags"],
                resources=[spaces, apps],
                conditions={"StringEquals": {"sagemaker:TaggingAction": ["CreateApp", "CreateSpace"]}},
                why_wildcard=OWNED,
            ),
            Duty(
                actions=[
                    "sagemaker:DescribeApp",
                    "sagemaker:DescribeDomain",
                    "sagemaker:DescribeSpace",
                    "sagemaker:DescribeUserProfile",
                ],
                resources=[self._arn("domain"), self._profile_arn, spaces, apps],
                why_wildcard="The spaces and apps of one domain, whose names are not known before they are made.",
            ),
            Duty(
                actions=[
                    "sagemaker:ListApps",
                    "sagemaker:ListDomains",
                    "sagemaker:ListSpaces",
                    "sagemaker:ListUserProfiles",
                ],
                resources=["*"],
                why_wildcard=NO_RESOURCE,
            ),
            Duty(
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"],
                resources=[key.key_arn],
            ),
            Duty(
                actions=["kms:CreateGrant"],
                resources=[key.key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ]

    def _arn(self, kind: str, *rest: str) -> str:
        return self._stack.format_arn(
            service="sagemaker", resource=kind, resource_name="/".join([self._domain_id, *rest])
        )
