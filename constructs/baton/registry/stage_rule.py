"""The rule that an environment's own officer approves for it, where several take their versions from one registry.

A version has one stage of its life cycle at a time. It passes the environments in their order, so a version that one
of them has decided on was approved for all before it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from baton.foundation.taker import Taker, in_other_accounts
from baton.registry.approval_rule import OFFICER, PERSONA_TAG, VERDICTS, deny
from baton.registry.model_versions import READING

ENVIRONMENT_TAG = "baton:environment"
STATUS = "sagemaker:ModelApprovalStatus"
STAGE, STAGE_STATUS = "sagemaker:ModelLifeCycle:Stage", "sagemaker:ModelLifeCycle:StageStatus"
CURRENT_STAGE = "sagemaker:CurrentModelLifeCycleStage"
CURRENT_STAGE_STATUS = "sagemaker:CurrentModelLifeCycleStageStatus"
UPDATE = "sagemaker:UpdateModelPackage"
QUALIFIER = cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER
Conditions = Mapping[str, Mapping[str, Any]]


def own_verdict(*, shared: bool) -> Conditions:
    """How the officer of the registry's own environment decides: by the status, and by no stage of another's.

    Without a verdict in the request this holds for nothing, so it is no way to swap a version's artefact.
    """
    verdict: dict[str, dict[str, Any]] = {"StringEquals": {STATUS: VERDICTS}}
    return {**verdict, "Null": {STAGE: "true"}} if shared else verdict


def stage_verdict(stage: str) -> Conditions:
    """How the officer of another environment decides: by its stage, and never by the registry's own status."""
    return {"StringEquals": {STAGE: stage, STAGE_STATUS: VERDICTS}, "Null": {STATUS: "true"}}


def sharing_statements(
    *, group_arn: str, versions_arn: str, owner: str, takers: Sequence[Taker], region: str
) -> list[iam.PolicyStatement]:
    """What the policy of a shared group says besides: who reads from elsewhere, and who decides for which stage.

    Args:
        group_arn: The group.
        versions_arn: Its versions.
        owner: The environment that trains them.
        takers: The environments that take them, in the order in which a version passes them.
        region: Where they all lie.
    """
    both = [group_arn, versions_arn]
    foreign = in_other_accounts(takers)
    return [
        *(_reads(taker, both, region) for taker in foreign),
        *(_decides(taker, versions_arn) for taker in foreign),
        *_denials_for_all(both, owner, [taker.environment for taker in takers]),
        *(statement for taker in takers for statement in _denials_for(taker, both)),
        *(_no_step_back(earlier, later, both) for earlier, later in pairwise(takers)),
    ]


def _reads(taker: Taker, resources: Sequence[str], region: str) -> iam.PolicyStatement:
    """A model is made of a version of another account's by whoever may also create a model of it.

    That is the role of the reconcile workflow's, or the bootstrap's, when somebody deploys while a version serves.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy-xaccount.html
    """
    return iam.PolicyStatement(
        sid=f"{taker.sid}Reads",
        principals=[taker.roles(f"cdk-{QUALIFIER}-cfn-exec-role-{taker.account}-{region}")],
        actions=[*READING, "sagemaker:CreateModel"],
        resources=list(resources),
    )


def _decides(taker: Taker, versions_arn: str) -> iam.PolicyStatement:
    verdict = stage_verdict(taker.environment)
    officer = {f"aws:PrincipalTag/{PERSONA_TAG}": OFFICER, f"aws:PrincipalTag/{ENVIRONMENT_TAG}": taker.environment}
    return iam.PolicyStatement(
        sid=f"{taker.sid}Decides",
        principals=[taker.roles()],
        actions=[UPDATE],
        resources=[versions_arn],
        conditions={**verdict, "StringEquals": {**verdict["StringEquals"], **officer}},
    )


def _denials_for_all(resources: Sequence[str], owner: str, stages: Sequence[str]) -> list[iam.PolicyStatement]:
    """Who reaches the registry's own verdict, and which stages there are."""
    return [
        _refuse(
            "OwnVerdictIsTheOwners",
            UPDATE,
            resources,
            {"Null": {STATUS: "false"}, "StringNotEquals": {f"aws:PrincipalTag/{ENVIRONMENT_TAG}": owner}},
        ),
        # Any other stage would take the version from all environments without a word of theirs.
        _refuse(
            "NoStageOfNobodys", UPDATE, resources, {"Null": {STAGE: "false"}, "StringNotEquals": {STAGE: list(stages)}}
        ),
        _refuse("VersionsAreBornInNoStage", "sagemaker:CreateModelPackage", resources, {"Null": {STAGE: "false"}}),
    ]


def _denials_for(taker: Taker, resources: Sequence[str]) -> list[iam.PolicyStatement]:
    """Its own officer alone decides for an environment, in its own account, and after the one before it."""
    stage = taker.environment
    others = {"DecidesForItself": {f"aws:PrincipalTag/{ENVIRONMENT_TAG}": stage}}
    if taker.foreign:
        others["DecidesInItsAccount"] = {"aws:PrincipalAccount": str(taker.account)}
    found = [
        _refuse(
            f"{taker.sid}{sid}", UPDATE, resources, {"StringEquals": {STAGE: stage}, "StringNotEquals": others[sid]}
        )
        for sid in others
    ]
    if taker.after is None:
        return found
    # A negated condition also holds where its key is absent: for a version that is in no stage yet.
    return [
        *found,
        _refuse(
            f"{taker.sid}ComesAfter{taker.after.capitalize()}",
            UPDATE,
            resources,
            {"StringEquals": {STAGE: stage}, "StringNotEquals": {CURRENT_STAGE: [taker.after, stage]}},
        ),
        _refuse(
            f"{taker.sid}NeedsTheApprovalOf{taker.after.capitalize()}",
            UPDATE,
            resources,
            {
                "StringEquals": {STAGE: stage, CURRENT_STAGE: taker.after},
                "StringNotEquals": {CURRENT_STAGE_STATUS: "Approved"},
            },
        ),
    ]


def _no_step_back(earlier: Taker, later: Taker, resources: Sequence[str]) -> iam.PolicyStatement:
    """To approve again for an earlier stage would withdraw a version from the later one; a rejection may."""
    return _refuse(
        f"{earlier.sid}ApprovesNothingBackFrom{later.sid}",
        UPDATE,
        resources,
        {"StringEquals": {STAGE: earlier.environment, STAGE_STATUS: "Approved", CURRENT_STAGE: later.environment}},
    )


def _refuse(sid: str, action: str, resources: Sequence[str], conditions: Conditions) -> iam.PolicyStatement:
    return deny(sid, [action], resources=resources, principals=[iam.AnyPrincipal()], conditions=conditions)
