"""The rule that one persona alone approves, in the three places that AWS reads it from."""

from collections.abc import Mapping, Sequence

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
        _deny(
            "NoVerdict",
            [
                "sagemaker:UpdateModelPackage",
                "sagemaker:DeleteModelPackage",
                "sagemaker:DeleteModelPackageGroup",
                "sagemaker:DeleteModelPackageGroupPolicy",
                "sagemaker:PutModelPackageGroupPolicy",
            ],
        ),
        _deny(
            "NoVersionBornApproved",
            ["sagemaker:CreateModelPackage"],
            conditions={"StringNotEquals": {"sagemaker:ModelApprovalStatus": PENDING}},
        ),
    ]


def deny_rewriting_statement() -> iam.PolicyStatement:
    """A verdict rewrites no hash of the artefact, for by that hash a swapped artefact is found."""
    return _deny(
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
        _deny(
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
        _deny(
            "NoVersionBornInAStage",
            ["sagemaker:CreateModelPackage"],
            conditions={"Null": {"sagemaker:ModelLifeCycle:Stage": "false"}},
        ),
    ]


def _deny(
    sid: str, actions: Sequence[str], *, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> iam.PolicyStatement:
    """A denial for everything there is, which no other policy lifts."""
    return iam.PolicyStatement(
        sid=sid, effect=iam.Effect.DENY, actions=list(actions), resources=["*"], conditions=conditions
    )


def group_policy(*, group_arn: str, versions_arn: str) -> iam.PolicyDocument:
    """The same rule as the policy of a model package group: it also binds roles that are not Baton's.

    The officer is known by the tag of their role, not by its ARN: the group is deployed long before the role.
    """
    anyone = iam.AnyPrincipal()
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="OfficerDecides",
                effect=iam.Effect.DENY,
                principals=[anyone],
                actions=["sagemaker:UpdateModelPackage"],
                resources=[group_arn, versions_arn],
                conditions={"StringNotEquals": {f"aws:PrincipalTag/{PERSONA_TAG}": OFFICER}},
            ),
            iam.PolicyStatement(
                sid="VersionsWaitForTheOfficer",
                effect=iam.Effect.DENY,
                principals=[anyone],
                actions=["sagemaker:CreateModelPackage"],
                resources=[group_arn, versions_arn],
                conditions={"StringNotEquals": {"sagemaker:ModelApprovalStatus": PENDING}},
            ),
        ]
    )
