"""The rule that one persona alone approves, in the three places that AWS reads it from."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam

OFFICER = "compliance-officer"
PERSONA_TAG = "baton-persona"
PENDING = "PendingManualApproval"
VERDICTS = ["Approved", "Rejected"]


def deny_approval_statements() -> list[iam.PolicyStatement]:
    """What nobody but the compliance officer may do to any version of any group, whatever else allows it.

    For the boundaries of the other personas, and for the roles that their code runs as. The whole of
    UpdateModelPackage is denied, not only its verdicts: a call without one could exchange the artefact of an approved
    version. A version may be created pending, and in no other state; as the operator is negated, a call that leaves
    the state out is denied as well.

    See:
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    return [
        deny(
            "NoVerdict",
            [
                "sagemaker:UpdateModelPackage",
                "sagemaker:DeleteModelPackage",
                "sagemaker:DeleteModelPackageGroup",
                "sagemaker:DeleteModelPackageGroupPolicy",
                "sagemaker:PutModelPackageGroupPolicy",
            ],
        ),
        deny(
            "NoVersionBornApproved",
            ["sagemaker:CreateModelPackage"],
            conditions={"StringNotEquals": {"sagemaker:ModelApprovalStatus": PENDING}},
        ),
    ]


def deny_rewriting_statement() -> iam.PolicyStatement:
    """A verdict rewrites no hash of the artefact, for by that hash a swapped artefact is found."""
    return deny(
        "NoOtherHash",
        ["sagemaker:UpdateModelPackage"],
        conditions={"Null": {"sagemaker:CustomerMetadataProperties/artifact_sha256": "false"}},
    )


def forbid_approval(role: iam.Role) -> None:
    """Deny a service's role what no scientist may do, for it runs their code or acts at their word."""
    for statement in (*deny_approval_statements(), *deny_serving_statements()):
        role.add_to_policy(statement)


def deny_serving_statements() -> list[iam.PolicyStatement]:
    """What would serve a version past the officer: another endpoint, another workflow, another rule, another role.

    For the same roles as the denial of verdicts. A training registers no stage of a life cycle, because a stage can
    stand for an approval.
    """
    return [
        deny(
            "NoWayAroundTheVerdict",
            [
                "cloudformation:CreateChangeSet",
                "cloudformation:ExecuteChangeSet",
                "cloudformation:UpdateStack",
                "events:DisableRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
                "iam:AttachRolePolicy",
                "iam:CreatePolicyVersion",
                "iam:DeleteRolePermissionsBoundary",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:TagUser",
                "iam:UpdateAssumeRolePolicy",
                "lambda:AddPermission",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
                "states:UpdateStateMachine",
            ],
        ),
        deny(
            "NoVersionBornInAStage",
            ["sagemaker:CreateModelPackage"],
            conditions={"Null": {"sagemaker:ModelLifeCycle:Stage": "false"}},
        ),
    ]


def deny(
    sid: str,
    actions: Sequence[str],
    *,
    resources: Sequence[str] = ("*",),
    principals: Sequence[iam.IPrincipal] | None = None,
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
) -> iam.PolicyStatement:
    """A denial, of everything there is unless told otherwise, which no other policy lifts."""
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=principals,
        actions=list(actions),
        resources=list(resources),
        conditions=conditions,
    )


def group_policy(*, group_arn: str, versions_arn: str) -> iam.PolicyDocument:
    """The same rule as the policy of a model package group: it also binds roles that are not Baton's.

    The officer is known by the tag of their role, not by its ARN: the group is deployed long before the role.
    """
    group: dict[str, Any] = {"resources": [group_arn, versions_arn], "principals": [iam.AnyPrincipal()]}
    return iam.PolicyDocument(
        statements=[
            deny(
                "OfficerDecides",
                ["sagemaker:UpdateModelPackage"],
                conditions={"StringNotEquals": {f"aws:PrincipalTag/{PERSONA_TAG}": OFFICER}},
                **group,
            ),
            deny(
                "VersionsWaitForTheOfficer",
                ["sagemaker:CreateModelPackage"],
                conditions={"StringNotEquals": {"sagemaker:ModelApprovalStatus": PENDING}},
                **group,
            ),
        ]
    )
