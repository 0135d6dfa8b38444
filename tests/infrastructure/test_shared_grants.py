"""A role of another account reaches of a shared registry what both its own policy and the resource's allow."""

import copy
import dataclasses
from typing import Any

from tests.infrastructure.shared_assembly import DEV, PROD, STAGING, synthesised
from tests.infrastructure.shared_group import OFFICER, PROBES, Context, Policy, Registry, policy_of, unbound, without
from tests.infrastructure.template_roles import Request, Role, Templates, allowed
from tests.infrastructure.truth_table import by_name

READS = ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages")


def test_the_roles_that_need_to_read_versions_of_another_account_may() -> None:
    shared = Registry("two accounts")
    readers = ("bank-churn-approval/StepsChooseRole", "bank-churn-approval/ServingExecutionRole", OFFICER)
    cells: list[tuple[Role, str, Context]] = [
        (shared.roles["prod", reader], action, {}) for reader in readers for action in READS
    ]
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
