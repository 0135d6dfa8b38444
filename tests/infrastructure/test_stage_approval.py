"""Each environment's own officer approves for it, as an evaluator that is not ours reads roles and group together."""

import copy
import dataclasses
from typing import Any

import pytest

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


@pytest.fixture(scope="module", params=["one account", "two accounts"])
def pair(request: pytest.FixtureRequest) -> Registry:
    return Registry(request.param)


@pytest.fixture(scope="module")
def chain() -> Registry:
    return Registry("three accounts")


def without(policy: Policy, *sids: str) -> Policy:
    """The group's policy without some of its statements."""
    assert set(sids) <= {statement.get("Sid") for statement in policy["Statement"]}
    return {**policy, "Statement": [s for s in policy["Statement"] if s.get("Sid") not in sids]}


def unbound(role: Role) -> Role:
    """The role as administrator, and nothing that denies it anything."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return dataclasses.replace(role, policies=[everything], boundary=None)


def test_of_all_roles_of_both_environments_each_officer_decides_for_their_own(pair: Registry) -> None:
    cells = [(place, probe) for place in pair.roles for probe in PROBES]
    answers = pair.may([(pair.roles[place], *PROBES[probe]) for place, probe in cells])
    found = {(*place, probe) for (place, probe), answer in zip(cells, answers, strict=True) if answer}
    assert len(pair.roles) > 40
    assert found == {
        ("staging", OFFICER, "approve"),
        ("staging", OFFICER, "reject"),
        ("staging", "bank-churn-training/PipelinePipelineRole", "register"),
        ("prod", OFFICER, "approve for prod"),
        ("prod", OFFICER, "reject for prod"),
        ("prod", OFFICER, "approve for prod again"),
    }


@pytest.mark.parametrize(
    ("environment", "probe", "denial"),
    [
        ("staging", "approve for prod", "ProdDecidesForItself"),
        ("prod", "approve", "OwnVerdictIsTheOwners"),
        ("staging", "approve for a stage of nobody's", "NoStageOfNobodys"),
        ("staging", "register as approved for prod", "VersionsAreBornInNoStage"),
    ],
)
def test_even_an_officers_role_with_every_permission_is_held_by_the_group(
    environment: str, probe: str, denial: str
) -> None:
    """In one account, where the role's own policy could allow anything; without the denial it would."""
    shared = Registry("one account")
    everything = (unbound(shared.officer(environment)), *PROBES[probe])
    assert shared.may([everything]) == [False]
    assert shared.may([everything], without(shared.policy, denial)) == [True]


def test_a_role_of_the_registrys_account_cannot_pass_for_prods_officer() -> None:
    shared = Registry("two accounts")
    tags = shared.officer("prod").tags
    impostor = (dataclasses.replace(unbound(shared.officer("staging")), tags=tags), *PROBES["approve for prod"])
    assert shared.may([impostor]) == [False]
    assert shared.may([impostor], without(shared.policy, "ProdDecidesInItsAccount")) == [True]


@pytest.mark.parametrize("change", ["another account", "another name", "another persona", "another environment"])
def test_what_is_granted_to_prods_officer_is_granted_to_no_similar_role(change: str) -> None:
    shared = Registry("two accounts")
    officer = unbound(shared.officer("prod"))
    other = {
        "another account": {"arn": officer.arn.replace(PROD, DEV)},
        "another name": {"arn": officer.arn.replace("baton-prod-", "anybody-")},
        "another persona": {"tags": {**officer.tags, "baton-persona": "data-scientist"}},
        "another environment": {"tags": {**officer.tags, "baton:environment": "dev"}},
    }[change]
    similar = dataclasses.replace(officer, **other)  # type: ignore[arg-type]
    cell = PROBES["approve for prod"]
    assert shared.may([(officer, *cell), (similar, *cell)]) == [True, False]


TURNS = {
    "staging, first": ("staging", stage("staging"), True),
    "staging, again": ("staging", stage("staging", now=("staging", "Rejected")), True),
    "staging, rejecting what prod approved": ("staging", stage("staging", "Rejected", now=("prod", "Approved")), True),
    "staging, approving what prod approved": ("staging", stage("staging", now=("prod", "Approved")), False),
    "staging, for prod": ("staging", stage("prod", now=IN_STAGING), False),
    "prod, before staging": ("prod", stage("prod"), False),
    "prod, after staging's rejection": ("prod", stage("prod", now=("staging", "Rejected")), False),
    "prod, after staging's approval": ("prod", stage("prod", now=IN_STAGING), True),
    "prod, again": ("prod", stage("prod", now=("prod", "Rejected")), True),
    "prod, for staging": ("prod", stage("staging"), False),
    "dev, for staging": ("dev", stage("staging"), False),
    "dev, its own": ("dev", {STATUS: "Approved"}, True),
    "staging, dev's own": ("staging", {STATUS: "Approved"}, False),
}


def test_a_version_passes_the_environments_in_their_order(chain: Registry) -> None:
    answers = chain.may([(chain.officer(name), UPDATE, told) for name, told, _ in TURNS.values()])
    assert dict(zip(TURNS, answers, strict=True)) == {turn: may for turn, (*_, may) in TURNS.items()}


@pytest.mark.parametrize(
    ("turn", "denial"),
    [
        ("prod, before staging", "ProdComesAfterStaging"),
        ("prod, after staging's rejection", "ProdNeedsTheApprovalOfStaging"),
        ("staging, approving what prod approved", "StagingApprovesNothingBackFromProd"),
    ],
)
def test_the_order_is_held_by_the_group(chain: Registry, turn: str, denial: str) -> None:
    name, told, _ = TURNS[turn]
    assert chain.may([(chain.officer(name), UPDATE, told)], without(chain.policy, denial)) == [True]


READS = ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages")


def test_the_roles_that_need_to_read_versions_of_another_account_may() -> None:
    shared = Registry("two accounts")
    readers = ("bank-churn-approval/StepsChooseRole", "bank-churn-approval/ServingExecutionRole", OFFICER)
    cells = [(shared.roles["prod", reader], action, {}) for reader in readers for action in READS]
    assert all(shared.may(cells))
    assert not any(shared.may(cells, without(shared.policy, "ProdReads")))


def test_whoever_deploys_while_a_version_serves_may_make_a_model_of_it() -> None:
    """`cdk deploy` acts as the bootstrap's role, and no other role of that account's is admitted."""
    shared = Registry("two accounts")
    everything = unbound(shared.officer("prod"))
    asked = []
    for name in (f"cdk-hnb659fds-cfn-exec-role-{PROD}-eu-west-1", f"cdk-hnb659fds-lookup-role-{PROD}-eu-west-1"):
        role = dataclasses.replace(everything, arn=f"arn:aws:iam::{PROD}:role/{name}", tags={})
        asked += [(role, "sagemaker:DescribeModelPackage", {}), (role, *PROBES["approve for prod"])]
    assert shared.may(asked) == [True, False, False, False]


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


def test_artefacts_are_decrypted_as_s3_hands_them_out_and_by_the_roles_that_serve() -> None:
    policy = policy_of("two accounts", "staging", "data-lake", "AWS::KMS::Key", "KeysModels", "KeyPolicy")
    roles = by_name(list(Templates(synthesised("two accounts").templates["prod"], PROD).roles()), "prod")
    endpoint, key = roles["bank-churn-serving/ModelRole"], f"arn:aws:kms:eu-west-1:{STAGING}:key/staging-models"
    stranger = dataclasses.replace(unbound(endpoint), arn=endpoint.arn.replace("baton-prod-", "other-"))

    def decrypts(role: Role, through: str, document: Policy = policy) -> bool:
        told = {"kms:ViaService": f"{through}.eu-west-1.amazonaws.com"}
        return allowed([(role, Request("kms:Decrypt", key, told, document))])[0]

    assert decrypts(endpoint, "s3")
    assert not decrypts(endpoint, "dynamodb")
    assert not decrypts(stranger, "s3")
    assert not decrypts(endpoint, "s3", without(policy, "ProdDecrypts"))


def test_signatures_are_verified_and_never_made_in_the_other_account() -> None:
    policy = policy_of("two accounts", "staging", "bank-churn-training", "AWS::KMS::Key", "SignerKey", "KeyPolicy")
    roles = by_name(list(Templates(synthesised("two accounts").templates["prod"], PROD).roles()), "prod")
    verifier, key = roles["bank-churn-approval/StepsVerifyRole"], f"arn:aws:kms:eu-west-1:{STAGING}:key/staging-signs"
    calls = ("kms:Verify", "kms:GetPublicKey", "kms:Sign")
    assert allowed([(verifier, Request(call, key, {}, policy)) for call in calls]) == [True, True, False]
    assert allowed([(unbound(verifier), Request("kms:Sign", key, {}, policy))]) == [False]
    assert allowed([(verifier, Request("kms:Verify", key, {}, without(policy, "ProdVerifies")))]) == [False]


def test_events_reach_the_bus_from_the_one_rule() -> None:
    policy = policy_of("two accounts", "prod", "data-lake", "AWS::Events::EventBusPolicy", "TakenBus", "Statement")
    document = {"Version": "2012-10-17", "Statement": [{**policy, "Resource": "*"}]}
    roles = by_name(list(Templates(synthesised("two accounts").templates["staging"], STAGING).roles()), "staging")
    forwards, bus = (
        roles["bank-churn-training/ToProdRole"],
        f"arn:aws:events:eu-west-1:{PROD}:event-bus/baton-prod-versions",
    )

    def sends(role: Role, rule: str) -> bool:
        told = {"aws:SourceArn": f"arn:aws:events:eu-west-1:{STAGING}:rule/{rule}"}
        return allowed([(role, Request("events:PutEvents", bus, told, document))])[0]

    assert sends(forwards, "baton-staging-bank-churn-to-prod")
    assert not sends(forwards, "somebody-elses")
    stranger = dataclasses.replace(unbound(forwards), arn=forwards.arn.replace(STAGING, DEV))
    assert not sends(stranger, "baton-staging-bank-churn-to-prod")


def test_artefacts_of_another_account_need_both_the_roles_permission_and_the_buckets() -> None:
    staging = Templates(synthesised("two accounts").templates["staging"], STAGING)
    document = policy_of(
        "two accounts", "staging", "data-lake", "AWS::S3::BucketPolicy", "ZonesModels", "PolicyDocument"
    )
    own_name = staging.arn_of("data-lake", "AWS::S3::Bucket", "ZonesModels")
    policy = _renamed(document, own_name, "arn:aws:s3:::baton-staging-models")
    roles = by_name(list(Templates(synthesised("two accounts").templates["prod"], PROD).roles()), "prod")
    secure = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.2"}

    def reads(role: Role, key: str, document: Policy) -> bool:
        resource = f"arn:aws:s3:::baton-staging-models/{key}"
        return allowed([(role, Request("s3:GetObject", resource, secure, document, owner=STAGING))])[0]

    endpoint, artefact = roles["bank-churn-serving/ModelRole"], "bank_churn/run-1/output/model.tar.gz"
    assert reads(endpoint, artefact, policy)
    assert not reads(endpoint, "another_model/run-1/output/model.tar.gz", policy)
    assert not reads(roles["bank-churn-approval/StepsUpdateRole"], artefact, policy)
    assert not reads(endpoint, artefact, without(policy, "ProdReads"))
    assert not reads(dataclasses.replace(unbound(endpoint), arn=endpoint.arn.replace(PROD, DEV)), artefact, policy)


def _renamed(document: Any, old: str, new: str) -> Any:
    if isinstance(document, dict):
        return {key: _renamed(value, old, new) for key, value in document.items()}
    if isinstance(document, list):
        return [_renamed(value, old, new) for value in document]
    return document.replace(old, new) if isinstance(document, str) else copy.copy(document)
