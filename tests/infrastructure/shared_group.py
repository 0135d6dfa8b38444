"""A shared group with its policy, and the roles of every environment that could touch it, as IAM would see them."""

import dataclasses
from typing import Any

from tests.infrastructure.shared_assembly import DEV, PROD, STAGING, synthesised
from tests.infrastructure.template_roles import Request, Role, Templates, allowed
from tests.infrastructure.truth_table import by_name

UPDATE, CREATE = "sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackage"
STATUS, HASH = "sagemaker:ModelApprovalStatus", "sagemaker:CustomerMetadataProperties/artifact_sha256"
STAGE, STAGE_STATUS = "sagemaker:ModelLifeCycle:Stage", "sagemaker:ModelLifeCycle:StageStatus"
CURRENT, CURRENT_STATUS = "sagemaker:CurrentModelLifeCycleStage", "sagemaker:CurrentModelLifeCycleStageStatus"
OFFICER = "governance/TeamComplianceOfficer"
ACCOUNTS = {
    "one account": {"staging": "111122223333", "prod": "111122223333"},
    "two accounts": {"staging": STAGING, "prod": PROD},
    "three accounts": {"dev": DEV, "staging": STAGING, "prod": PROD},
}
OWNER = {"one account": "staging", "two accounts": "staging", "three accounts": "dev"}
Context = dict[str, str]
Policy = dict[str, Any]
Cell = tuple[str, str, str]


def stage(name: str, status: str = "Approved", *, now: tuple[str, str] | None = None) -> Context:
    """What a request for a stage tells, and where the version is now."""
    where = {} if now is None else {CURRENT: now[0], CURRENT_STATUS: now[1]}
    return {STAGE: name, STAGE_STATUS: status, **where}


IN_STAGING = ("staging", "Approved")
# In these, prod takes from staging or, after staging, from dev; so each starts where prod's turn is.
PROBES: dict[str, tuple[str, Context]] = {
    "approve": (UPDATE, {STATUS: "Approved"}),
    "reject": (UPDATE, {STATUS: "Rejected"}),
    "set back to pending": (UPDATE, {STATUS: "PendingManualApproval"}),
    "change without a verdict": (UPDATE, {}),
    "approve for prod": (UPDATE, stage("prod", now=IN_STAGING)),
    "reject for prod": (UPDATE, stage("prod", "Rejected", now=IN_STAGING)),
    "approve for prod again": (UPDATE, stage("prod", now=("prod", "Rejected"))),
    "set prod's word back": (UPDATE, stage("prod", "PendingApproval", now=IN_STAGING)),
    "move to prod without a word": (UPDATE, {STAGE: "prod"}),
    "approve, and for prod too": (UPDATE, {STATUS: "Approved", **stage("prod", now=IN_STAGING)}),
    "approve for prod with another hash": (UPDATE, {HASH: "another", **stage("prod", now=IN_STAGING)}),
    "approve for a stage of nobody's": (UPDATE, stage("Production")),
    "register": (CREATE, {STATUS: "PendingManualApproval"}),
    "register as approved for prod": (CREATE, {STATUS: "PendingManualApproval", **stage("prod")}),
    "register as approved": (CREATE, {STATUS: "Approved"}),
}


class Registry:
    """The group of one case, and the roles of all environments that could touch it."""

    def __init__(self, case: str) -> None:
        owner, assembly = OWNER[case], synthesised(case)
        self.templates = {
            name: Templates(assembly.templates[name], account) for name, account in ACCOUNTS[case].items()
        }
        self.roles = {
            (name, role_name): role
            for name, templates in self.templates.items()
            for role_name, role in by_name(list(templates.roles()), name).items()
        }
        self.version = f"arn:aws:sagemaker:eu-west-1:{ACCOUNTS[case][owner]}:model-package/baton-{owner}-bank-churn/1"
        [group] = [
            body["Properties"]
            for body in assembly.stack(owner, "bank-churn-training")["Resources"].values()
            if body["Type"] == "AWS::SageMaker::ModelPackageGroup"
        ]
        stack = f"baton-{owner}-bank-churn-training"
        self.policy: Policy = self.templates[owner].resolve(stack, group["ModelPackageGroupPolicy"])

    def may(self, cells: list[tuple[Role, str, Context]], policy: Policy | None = None) -> list[bool]:
        """Whether each role may do each call on the version."""
        whole = policy or self.policy
        return allowed([(role, Request(action, self.version, told, whole)) for role, action, told in cells])

    def officer(self, environment: str) -> Role:
        return self.roles[environment, OFFICER]


def without(policy: Policy, *sids: str) -> Policy:
    """The group's policy without some of its statements."""
    assert set(sids) <= {statement.get("Sid") for statement in policy["Statement"]}
    return {**policy, "Statement": [s for s in policy["Statement"] if s.get("Sid") not in sids]}


def unbound(role: Role) -> Role:
    """The role as administrator, and nothing that denies it anything."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return dataclasses.replace(role, policies=[everything], boundary=None)


def policy_of(case: str, environment: str, suffix: str, kind: str, containing: str, key: str) -> Any:
    """A resource's policy, without intrinsic functions."""
    templates = Templates(synthesised(case).templates[environment], ACCOUNTS[case][environment])
    stack = f"baton-{environment}-{suffix}"
    [document] = [
        body["Properties"][key]
        for logical_id, body in synthesised(case).templates[environment][stack]["Resources"].items()
        if body["Type"] == kind and containing in logical_id
    ]
    return templates.resolve(stack, document)
