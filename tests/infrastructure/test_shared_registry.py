"""What an environment takes from another's registry is granted to it and to nobody else, and it hears of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from policy_sentry.querying.conditions import get_condition_keys_for_service

from baton.foundation.taker import Taker, in_other_accounts
from tests.conftest import Assembly
from tests.infrastructure.shared_assembly import (
    CHANGES,
    DEV,
    PROD,
    STAGING,
    registry,
    synthesised,
    text,
)
from tests.infrastructure.template_roles import Templates
from tests.infrastructure.test_policy_linters import escalations, malformed
from tests.test_templates import is_named_in_vain, name_property

MODELS = Path(__file__).parent.parent.parent / "config" / "models"
# By case: the environment that trains, and the accounts that it admits.
ADMITTED = {
    "one account": ("staging", set()),
    "two accounts": ("staging", {PROD}),
    "three accounts": ("dev", {STAGING, PROD}),
}
EXPLAINED = {
    # A grant on versions, which IAM's reference does not know; the test of it says why it is given.
    "ServingExecutionRole": ("RESOURCE_MISMATCH",),
    "TeamComplianceOfficer": ("sagemaker:ModelLifeCycle:Stage", "sagemaker:ModelLifeCycle:StageStatus"),
}
"""By role, what parliament says of these environments although it is in order."""


def resources(template: dict[str, Any], kind: str, containing: str = "") -> Iterator[dict[str, Any]]:
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == kind and containing in logical_id:
            yield resource["Properties"]


def documents(assembly: Assembly, owner: str) -> dict[str, dict[str, Any]]:
    """The policies by which the environment that trains shares what it has made."""
    lake, training = assembly.stack(owner, "data-lake"), assembly.stack(owner, "bank-churn-training")
    [group] = resources(training, "AWS::SageMaker::ModelPackageGroup")
    [signing_key] = resources(training, "AWS::KMS::Key", "SignerKey")
    [models_key] = resources(lake, "AWS::KMS::Key", "KeysModels")
    [models_bucket] = resources(lake, "AWS::S3::BucketPolicy", "ZonesModels")
    [evidence_bucket] = resources(lake, "AWS::S3::BucketPolicy", "ZonesEvidence")
    return {
        "group": group["ModelPackageGroupPolicy"],
        "models key": models_key["KeyPolicy"],
        "signing key": signing_key["KeyPolicy"],
        "models bucket": models_bucket["PolicyDocument"],
        "evidence bucket": evidence_bucket["PolicyDocument"],
    }


def admitted(document: dict[str, Any], owner_account: str) -> set[str]:
    """The principals of other accounts that a policy allows anything."""
    allowed = [statement for statement in document["Statement"] if statement["Effect"] == "Allow"]
    principals = [statement["Principal"] for statement in allowed]
    accounts = {account for principal in principals for account in _accounts(principal)}
    return accounts - {owner_account, "${AWS::AccountId}"}


def _accounts(principal: Any) -> Iterator[str]:
    if isinstance(principal, str):
        yield principal
        return
    for kind, names in principal.items():
        for name in names if isinstance(names, list) else [names]:
            if kind == "AWS":
                yield name.split(":")[4] if isinstance(name, str) and name.count(":") >= 5 else _account_in(name)


def _account_in(name: Any) -> str:
    return "${AWS::AccountId}" if '"AWS::AccountId"' in text(name) else text(name)


def account_of_environment(case: str, environment: str) -> str:
    return str(CHANGES[case].get(environment, {}).get("account", ""))


@pytest.mark.parametrize("case", ADMITTED)
def test_each_document_names_exactly_the_accounts_that_take_versions(case: str) -> None:
    owner, accounts = ADMITTED[case]
    found = {
        name: admitted(document, account_of_environment(case, owner))
        for name, document in documents(synthesised(case), owner).items()
    }
    assert found == dict.fromkeys(found, accounts)
    assert len(found) == 5


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": f"arn:aws:iam::{DEV}:role/somebody"}])
def test_a_document_that_admits_anybody_else_is_found(principal: Any) -> None:
    document = documents(synthesised("two accounts"), "staging")["group"]
    extra = {"Effect": "Allow", "Principal": principal, "Action": "sagemaker:DescribeModelPackage", "Resource": "*"}
    changed = {"Statement": [*document["Statement"], extra]}
    assert admitted(changed, STAGING) not in ({PROD}, set())


@pytest.mark.parametrize("case", ["two accounts", "three accounts"])
def test_what_is_granted_to_another_account_is_held_to_the_roles_of_that_environment(case: str) -> None:
    owner, _ = ADMITTED[case]
    for name, document in documents(synthesised(case), owner).items():
        for statement in document["Statement"]:
            for environment, account in (("staging", STAGING), ("prod", PROD)):
                if statement["Effect"] == "Allow" and environment != owner and account in text(statement["Principal"]):
                    bound = text(statement["Condition"]["ArnLike"]["aws:PrincipalArn"])
                    assert f":iam::{account}:role/baton-{environment}-*" in bound, (name, statement["Sid"])


def test_in_ones_own_account_there_is_nothing_to_grant() -> None:
    taker = Taker(environment="prod")
    assert in_other_accounts([taker]) == []
    with pytest.raises(ValueError, match="prod lies in the registry's own account"):
        taker.roles()


def test_buckets_hand_out_the_models_folders_and_keys_what_s3_asks_for() -> None:
    shared = documents(synthesised("two accounts"), "staging")
    for bucket in ("models bucket", "evidence bucket"):
        granted = {s["Sid"]: s for s in shared[bucket]["Statement"] if str(s.get("Sid", "")).startswith("Prod")}
        assert {sid: s["Action"] for sid, s in granted.items()} == {
            "ProdReads": "s3:GetObject",
            "ProdLists": "s3:ListBucket",
        }
        assert "/bank_churn/*" in text(granted["ProdReads"]["Resource"])
    [decrypts] = [s for s in shared["models key"]["Statement"] if s.get("Sid") == "ProdDecrypts"]
    assert decrypts["Action"] == "kms:Decrypt"
    assert decrypts["Condition"]["StringEquals"] == {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    [verifies] = [s for s in shared["signing key"]["Statement"] if s.get("Sid") == "ProdVerifies"]
    assert verifies["Action"] == ["kms:GetPublicKey", "kms:Verify"]


def test_events_go_from_the_group_to_the_bus_that_admits_this_rule_alone() -> None:
    assembly = synthesised("two accounts")
    training, lake = assembly.stack("staging", "bank-churn-training"), assembly.stack("prod", "data-lake")
    [rule] = resources(training, "AWS::Events::Rule", "ToProd")
    [bus] = resources(lake, "AWS::Events::EventBus")
    [policy] = resources(lake, "AWS::Events::EventBusPolicy")
    [target] = rule["Targets"]

    assert target["Arn"] == f"arn:aws:events:eu-west-1:{PROD}:event-bus/{bus['Name']}"
    assert {"DeadLetterConfig", "RoleArn"} <= target.keys()
    assert rule["EventPattern"]["detail"] == {"ModelPackageGroupName": ["baton-staging-bank-churn"]}
    assert policy["Statement"]["Principal"] == {"AWS": f"arn:aws:iam::{STAGING}:root"}
    assert policy["Statement"]["Condition"] == {
        "ArnEquals": {"aws:SourceArn": [f"arn:aws:events:eu-west-1:{STAGING}:rule/{rule['Name']}"]}
    }
    assert "KmsKeyIdentifier" in bus


def test_the_role_that_forwards_may_do_that_and_nothing_else() -> None:
    training = synthesised("two accounts").stack("staging", "bank-churn-training")
    [policy] = [p for p in resources(training, "AWS::IAM::Policy") if "ToProdRole" in text(p["Roles"])]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "events:PutEvents",
        f"arn:aws:events:eu-west-1:{PROD}:event-bus/baton-prod-versions",
    )
    boundary = text(
        next(resources(synthesised("two accounts").stack("staging", "data-lake"), "AWS::IAM::ManagedPolicy"))
    )
    assert "events:PutEvents" in boundary, "the services' boundary would cut it"


@pytest.mark.parametrize(("case", "bus"), [("one account", None), ("two accounts", "baton-prod-versions")])
def test_the_environment_that_serves_listens_where_the_events_arrive_and_still_looks_by_itself(
    case: str, bus: str | None
) -> None:
    assembly = synthesised(case)
    approval = assembly.stack("prod", "bank-churn-approval")
    [rule] = resources(approval, "AWS::Events::Rule", "VersionDecided")
    assert rule["EventPattern"]["detail"] == {"ModelPackageGroupName": ["baton-staging-bank-churn"]}
    if bus is None:
        assert "EventBusName" not in rule
    else:
        assert bus in text(rule["EventBusName"]) or "TakenBus" in text(rule["EventBusName"])
    assert list(resources(approval, "AWS::Scheduler::Schedule", "Sweep"))


@pytest.mark.parametrize(
    ("case", "environment", "group", "stages"),
    [
        ("one account", "prod", "baton-staging-bank-churn", "prod"),
        (
            "two accounts",
            "prod",
            f"arn:aws:sagemaker:eu-west-1:{STAGING}:model-package-group/baton-staging-bank-churn",
            "prod",
        ),
        (
            "three accounts",
            "staging",
            f"arn:aws:sagemaker:eu-west-1:{DEV}:model-package-group/baton-dev-bank-churn",
            "staging,prod",
        ),
        (
            "three accounts",
            "prod",
            f"arn:aws:sagemaker:eu-west-1:{DEV}:model-package-group/baton-dev-bank-churn",
            "prod",
        ),
        ("two accounts", "staging", "baton-staging-bank-churn", None),
    ],
)
def test_reconcile_reads_the_right_group_for_the_right_stage(
    case: str, environment: str, group: str, stages: str | None
) -> None:
    approval = synthesised(case).stack(environment, "bank-churn-approval")
    [choose] = resources(approval, "AWS::Lambda::Function", "StepsChoose")
    told = choose["Environment"]["Variables"]
    assert (told["MODEL_PACKAGE_GROUP"], told.get("STAGES")) == (group, stages)


@pytest.mark.parametrize("case", ["one account", "two accounts"])
def test_what_is_served_is_read_and_verified_where_it_was_made(case: str) -> None:
    assembly = synthesised(case)
    taken = registry("staging", STAGING)
    [verify] = resources(assembly.stack("prod", "bank-churn-approval"), "AWS::Lambda::Function", "StepsVerify")
    told = verify["Environment"]["Variables"]
    assert told["MODELS_BUCKET"] == taken["models_bucket"]
    assert told["EVIDENCE_BUCKET"] == taken["evidence_bucket"]
    assert told["SIGNING_KEY_ARN"] == taken["signing_keys"]["bank_churn"]
    for stack, role in (("serving", "ModelRole"), ("monitoring", "JobsRole")):
        policies = text(list(resources(assembly.stack("prod", f"bank-churn-{stack}"), "AWS::IAM::Policy", role)))
        assert f"{taken['models_bucket']}/bank_churn/*" in policies
        assert taken["models_key"] in policies


def test_a_model_of_another_accounts_version_is_allowed_on_both_sides() -> None:
    """SageMaker's guide grants CreateModel on the versions; IAM's reference knows it on models only."""
    group = documents(synthesised("two accounts"), "staging")["group"]
    [reads] = [s for s in group["Statement"] if s["Sid"] == "ProdReads"]
    assert "sagemaker:CreateModel" in reads["Action"]
    approval = synthesised("two accounts").stack("prod", "bank-churn-approval")
    [policy] = [p for p in resources(approval, "AWS::IAM::Policy") if "ServingExecutionRole" in text(p["Roles"])]
    versions = f"arn:aws:sagemaker:eu-west-1:{STAGING}:model-package/baton-staging-bank-churn/*"
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if versions in text(s["Resource"])]
    assert "sagemaker:CreateModel" in text([statement["Action"] for statement in allowed])


def test_only_what_another_account_knows_by_name_has_one_more() -> None:
    named = {
        (name_property(resource), resource["Properties"][str(name_property(resource))])
        for _, _, template in synthesised("two accounts").each()
        for resource in template["Resources"].values()
        if is_named_in_vain(resource)
    }
    assert named == {("Name", "baton-prod-versions"), ("Name", "baton-staging-bank-churn-to-prod")}


@pytest.mark.parametrize(("case", "reached"), [("one account", False), ("two accounts", True)])
def test_the_network_leads_to_the_buckets_of_the_other_account(case: str, reached: bool) -> None:
    endpoints = text(list(resources(synthesised(case).stack("prod", "data-lake"), "AWS::EC2::VPCEndpoint")))
    assert (f"{registry('staging', STAGING)['models_bucket']}/*" in endpoints) is reached


def test_an_environment_that_takes_versions_trains_none_and_says_where_they_are_trained() -> None:
    stacks = synthesised("two accounts").templates["prod"]
    assert not [name for name in stacks if name.endswith("-training")]
    monitoring = synthesised("two accounts").stack("prod", "bank-churn-monitoring")
    assert not list(resources(monitoring, "AWS::Events::Rule", "DriftRetrain"))
    alarms = [alarm["AlarmDescription"] for alarm in resources(monitoring, "AWS::CloudWatch::Alarm", "Drift")]
    found = [description for description in alarms if "found a violation" in description]
    assert len(found) == 4
    assert all("trained in staging" in description for description in found)


@pytest.mark.parametrize("case", ADMITTED)
def test_the_serving_stack_still_holds_no_asset_but_its_template(case: str) -> None:
    [manifest] = (synthesised(case).folder / "assembly-prod").glob("*Serving*.assets.json")
    [file] = json.loads(manifest.read_text())["files"].values()
    assert file["source"]["path"].endswith(".template.json")


def test_an_environment_that_trained_before_can_be_deployed_again(assembly: Assembly) -> None:
    """Its training stack is deleted after the others have let go of it, so what that imports must stay till then."""
    before, after = (exports(each.stack("prod", "data-lake")) for each in (assembly, synthesised("two accounts")))
    imported = set(re.findall(r'"Fn::ImportValue": "([^"]+)"', text(assembly.stack("prod", "bank-churn-training"))))
    assert imported & before == imported
    assert imported <= after


def exports(template: dict[str, Any]) -> set[str]:
    return {output["Export"]["Name"] for output in template["Outputs"].values() if "Export" in output}


def test_linters_that_are_not_ours_find_nothing_in_any_role() -> None:
    assembly = synthesised("two accounts")
    roles = [
        role
        for name, account in (("staging", STAGING), ("prod", PROD))
        for role in Templates(assembly.templates[name], account).roles()
    ]
    assert {role.logical_id: ways for role in roles if (ways := escalations(role.policies))} == {}
    found = {(role.logical_id[:-8], fault) for role in roles for policy in role.policies for fault in malformed(policy)}
    explained = {(role, fault) for role, fault in found for known in EXPLAINED.get(role, ()) if known in fault}
    assert found - explained == set()
    assert {role for role, _ in found} == set(EXPLAINED), "an explanation that explains nothing is stale"


def test_a_newer_list_of_iams_knows_the_conditions_that_parliament_does_not() -> None:
    known = get_condition_keys_for_service("sagemaker")
    assert set(EXPLAINED["TeamComplianceOfficer"]) <= set(known)


def test_an_environment_that_shares_nothing_is_the_same_as_before(assembly: Assembly) -> None:
    """Of "two accounts", dev has nothing to do with a registry but its own."""
    for name, template in synthesised("two accounts").templates["dev"].items():
        assert template == assembly.templates["dev"][name], name
