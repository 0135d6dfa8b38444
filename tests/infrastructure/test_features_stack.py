"""A model's feature group, who may read and write it, and what fills it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from botocore.session import Session
from botocore.validate import validate_parameters

from app import build

ENVIRONMENTS = ("dev", "staging", "prod")
GROUP = "AWS::SageMaker::FeatureGroup"
# What IAM scopes by a resource of its own, and which of them may be a pattern.
RUNTIME = {"sagemaker:GetRecord", "sagemaker:BatchGetRecord", "sagemaker:PutRecord", "sagemaker:DeleteRecord"}


def of_type(template: dict[str, Any], kind: str, *, containing: str = "") -> dict[str, dict[str, Any]]:
    resources = template["Resources"].items()
    return {key: body for key, body in resources if body["Type"] == kind and containing in key}


def the_group(assembly: Any, environment: str) -> dict[str, Any]:
    [group] = of_type(assembly.stack(environment, "bank-churn-features"), GROUP).values()
    return group


def policy(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    [found] = of_type(template, "AWS::IAM::Policy", containing=role).values()
    statements = found["Properties"]["PolicyDocument"]["Statement"]
    as_list = {key: (lambda value: value if isinstance(value, list) else [value]) for key in ("Action", "Resource")}
    return [{**one, **{key: make(one[key]) for key, make in as_list.items()}} for one in statements]


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for one in statements for action in one["Action"]}


def resources(statements: list[dict[str, Any]], action: str) -> list[str]:
    return [json.dumps(place) for one in statements if action in one["Action"] for place in one["Resource"]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_group_holds_the_models_inputs_by_the_surrogate(assembly: Any, environment: str) -> None:
    group = the_group(assembly, environment)["Properties"]
    assert group["FeatureGroupName"] == f"baton-{environment}-bank-churn"
    assert (group["RecordIdentifierFeatureName"], group["EventTimeFeatureName"]) == ("customer_ref", "event_time")
    types = {item["FeatureName"]: item["FeatureType"] for item in group["FeatureDefinitions"]}
    assert list(types) == [
        *("customer_ref", "event_time", "dataset_run"),
        *("country", "age_group", "credit_score", "tenure_years", "balance", "products", "has_credit_card"),
        *("is_active", "estimated_salary", "gender"),
    ]
    assert {types[name] for name in ("customer_ref", "event_time", "dataset_run", "age_group")} == {"String"}
    assert (types["credit_score"], types["balance"]) == ("Integral", "Fractional")
    assert {"account_hash", "churned"}.isdisjoint(types), "neither a person's hash nor the label is an input"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_both_stores_are_encrypted_with_the_platforms_key_and_online_records_expire(
    assembly: Any, environment: str
) -> None:
    group = the_group(assembly, environment)["Properties"]
    online, offline = group["OnlineStoreConfig"], group["OfflineStoreConfig"]
    assert online["EnableOnlineStore"] is True
    assert online["TtlDuration"] == {"Unit": "Days", "Value": 90}
    assert "KeysData" in json.dumps(online["SecurityConfig"]["KmsKeyId"])
    assert offline["S3StorageConfig"]["KmsKeyId"] == online["SecurityConfig"]["KmsKeyId"]
    assert "/bank_churn/offline-store" in json.dumps(offline["S3StorageConfig"]["S3Uri"])
    assert offline["DataCatalogConfig"]["Database"] == f"baton_{environment}"


def test_the_group_is_a_valid_request(assembly: Any) -> None:
    shape = Session().get_service_model("sagemaker").operation_model("CreateFeatureGroup").input_shape
    group = json.loads(json.dumps(the_group(assembly, "prod")["Properties"]))
    arn = "arn:aws:kms:eu-west-1:000000000000:key/k"
    group["OnlineStoreConfig"]["SecurityConfig"]["KmsKeyId"] = arn
    group["OfflineStoreConfig"]["S3StorageConfig"] = {"S3Uri": "s3://b/p", "KmsKeyId": arn}
    group["RoleArn"] = "arn:aws:iam::000000000000:role/offline"
    validate_parameters(group, shape)


@pytest.mark.parametrize(("environment", "kept"), [("dev", "Delete"), ("staging", "Retain"), ("prod", "Retain")])
def test_the_group_survives_its_stack_where_data_is_kept(assembly: Any, environment: str, kept: str) -> None:
    group = the_group(assembly, environment)
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == (kept, kept)


def test_the_offline_store_is_written_by_a_role_that_can_do_nothing_else(assembly: Any) -> None:
    template = assembly.stack("prod", "bank-churn-features")
    found = policy(template, "OfflineStoreRole")
    assert actions(found) == {
        *("s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketAcl", "kms:Decrypt", "kms:GenerateDataKey"),
        *("glue:GetTable", "glue:UpdateTable"),
    }
    for place in resources(found, "s3:PutObject"):
        assert "/bank_churn/offline-store/*" in place
    [role] = of_type(template, "AWS::IAM::Role", containing="OfflineStoreRole").values()
    trust = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [one["Principal"] for one in trust] == [{"Service": "sagemaker.amazonaws.com"}]


def test_the_job_writes_to_one_group_and_reads_one_models_data(assembly: Any) -> None:
    found = policy(assembly.stack("prod", "bank-churn-features"), "FillingRole")
    assert actions(found) & RUNTIME == {"sagemaker:PutRecord"}
    [place] = resources(found, "sagemaker:PutRecord")
    assert ":feature-group/baton-prod-bank-churn" in place
    assert "*" not in place
    assert "s3:PutObject" not in actions(found)
    read = [place for place in resources(found, "s3:GetObject") if "ZonesCurated" in place]
    assert read
    assert all("/bank_churn/*" in place for place in read)


def test_the_function_passes_one_role_and_starts_jobs_of_one_name(assembly: Any) -> None:
    found = policy(assembly.stack("prod", "bank-churn-features"), "FillingFunctionRole")
    [passed] = resources(found, "iam:PassRole")
    assert "FillingRole" in passed
    [condition] = [one["Condition"] for one in found if "iam:PassRole" in one["Action"]]
    assert condition == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    for action in ("sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"):
        [place] = resources(found, action)
        assert ":processing-job/baton-prod-bank-churn-fs-*" in place


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of two roles that were let in: one to look records up, one to query the offline store."""
    folder = tmp_path_factory.mktemp("readers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CDK_VALIDATION", "false")
        app = build({"environment": "dev"}, outdir=str(folder))
        stage = app.node.find_child("dev")
        group = stage.node.find_child("BankChurnFeatures").node.find_child("Group")
        stack = cdk.Stack(stage, "Readers", stack_name="readers")
        for name, grant in (("Online", group.grant_read), ("Offline", group.grant_query)):
            grant(iam.Role(stack, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")))
        app.synth()
    [path] = folder.rglob("*Readers*.template.json")
    return dict(json.loads(path.read_text()))


def test_a_reader_looks_up_records_of_one_group_and_no_more(readers: dict[str, Any]) -> None:
    found = policy(readers, "Online")
    assert actions(found) == {"sagemaker:GetRecord", "sagemaker:BatchGetRecord", "kms:Decrypt"}
    assert all("feature-group/baton-dev-bank-churn" in place for place in resources(found, "sagemaker:GetRecord"))


def test_a_querier_reads_one_groups_offline_store_and_its_table(readers: dict[str, Any]) -> None:
    found = policy(readers, "Offline")
    assert not {action for action in actions(found) if ":Put" in action or ":Update" in action}
    assert all("/bank_churn/offline-store/*" in place for place in resources(found, "s3:GetObject"))
    tables = [place for place in resources(found, "glue:GetTable") if ":table/" in place]
    assert len(tables) == 1
    assert "baton_dev/bank_churn_features" in tables[0]


def the_function(assembly: Any, environment: str) -> dict[str, Any]:
    [function] = of_type(assembly.stack(environment, "bank-churn-features"), "AWS::Lambda::Function").values()
    return dict(function["Properties"]["Environment"]["Variables"])


def literal(value: Any, word: str) -> str:
    """A template's text with every reference replaced by a word."""
    [(_, (separator, parts))] = value.items()
    return str(separator).join(part if isinstance(part, str) else word for part in parts)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_job_stands_in_the_private_network_encrypted_and_runs_the_script(assembly: Any, environment: str) -> None:
    request = json.loads(literal(the_function(assembly, environment)["JOB"], "arn:aws:service:eu-west-1:0:kind/value"))
    shape = Session().get_service_model("sagemaker").operation_model("CreateProcessingJob").input_shape
    validate_parameters({**request, "ProcessingJobName": "name"}, shape)
    assert request["AppSpecification"]["ContainerEntrypoint"][3] == "features.fill"
    network = request["NetworkConfig"]
    assert network["EnableNetworkIsolation"] is False, "it calls the Feature Store"
    assert network["EnableInterContainerTrafficEncryption"] is True
    assert network["VpcConfig"]["Subnets"]
    assert network["VpcConfig"]["SecurityGroupIds"]
    assert request["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"]


def test_the_functions_environment_stays_below_lambdas_four_kilobytes(assembly: Any) -> None:
    longest = "arn:aws:iam::000000000000:role/" + "x" * 64
    variables = the_function(assembly, "staging")
    size = sum(
        len(name)
        + len(value if isinstance(value, str) else literal(value, longest) if "Fn::Join" in value else longest)
        for name, value in variables.items()
    )
    assert size < 4096


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_jobs_reach_the_feature_store_without_the_internet(assembly: Any, environment: str) -> None:
    endpoints = of_type(assembly.stack(environment, "data-lake"), "AWS::EC2::VPCEndpoint").values()
    names = [json.dumps(endpoint["Properties"]["ServiceName"]) for endpoint in endpoints]
    assert sum("sagemaker.featurestore-runtime" in name for name in names) == 1


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_data_scientist_alone_of_all_personas_looks_up_records_and_nobody_puts_any(
    assembly: Any, environment: str
) -> None:
    template = assembly.stack(environment, "governance")
    roles = ("ComplianceOfficer", "DataScientist", "DataEngineer", "MlopsEngineer")
    allowed = {role: actions(policy(template, f"Team{role}")) & RUNTIME for role in roles}
    assert allowed.pop("DataScientist") == {"sagemaker:GetRecord", "sagemaker:BatchGetRecord"}
    assert set().union(*allowed.values()) == set()
    for place in resources(policy(template, "TeamDataScientist"), "sagemaker:GetRecord"):
        assert "feature-group/" in place
        assert "*" not in place
