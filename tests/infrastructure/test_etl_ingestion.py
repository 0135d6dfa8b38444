"""The ETL job of a model: what it is given, what it may do, and who hears when it fails."""

import json
import re
from typing import Any

import pytest

from baton.etl.jdbc_access import jdbc_url
from tests.infrastructure.platform_assembly import Stack, statements, synthesised


@pytest.fixture(scope="module")
def stack() -> Stack:
    return synthesised()["dev"]["Ingestion"]


@pytest.fixture(scope="module")
def allowed(stack: Stack) -> list[dict[str, Any]]:
    return list(statements(stack.only("AWS::IAM::Policy", containing="EtlRole")["PolicyDocument"]))


def resources_of(allowed: list[dict[str, Any]], action: str) -> list[str]:
    return [json.dumps(r) for s in allowed if action in s["Action"] for r in s["Resource"]]


def test_the_job_is_glue_5_and_as_small_as_glue_allows(stack: Stack) -> None:
    job = stack.only("AWS::Glue::Job")
    assert job["GlueVersion"] == "5.0"
    assert (job["WorkerType"], job["NumberOfWorkers"]) == ("G.1X", 2)
    assert job["Timeout"] == 120


def test_two_runs_never_overlap(stack: Stack) -> None:
    assert stack.only("AWS::Glue::Job")["ExecutionProperty"] == {"MaxConcurrentRuns": 1}


def test_the_job_is_given_every_argument_its_script_asks_for(stack: Stack) -> None:
    arguments = stack.only("AWS::Glue::Job")["DefaultArguments"]
    script = {"connection_name", "secret_arn", "pseudonym_secret_arn", "curated_uri", "vault_uri", "code_commit"}
    assert {f"--{name}" for name in (*script, "engine", "place", "shared_vault_uri")} <= set(arguments)
    assert arguments["--code_commit"] == "0123abc"
    for argument in ("--curated_uri", "--vault_uri"):
        assert json.dumps(arguments[argument]).endswith('/bank_churn"]]}')
    assert re.search(r"/[0-9a-f]{64}\.zip", json.dumps(arguments["--extra-py-files"]))


def test_surrogates_that_models_share_lie_beside_the_models_own(stack: Stack) -> None:
    shared = json.dumps(stack.only("AWS::Glue::Job")["DefaultArguments"]["--shared_vault_uri"])
    assert "ZonesVault" in shared
    assert shared.endswith('/shared"]]}')


def test_no_secret_stands_in_an_argument(stack: Stack) -> None:
    assert "password" not in json.dumps(stack.only("AWS::Glue::Job")).lower()


def test_everything_glue_writes_is_encrypted(stack: Stack) -> None:
    encryption = stack.only("AWS::Glue::SecurityConfiguration")["EncryptionConfiguration"]
    [s3] = encryption["S3Encryptions"]
    assert s3["S3EncryptionMode"] == "SSE-KMS"
    assert "KeysVault" in json.dumps(s3["KmsKeyArn"])
    assert encryption["CloudWatchEncryption"]["CloudWatchEncryptionMode"] == "SSE-KMS"
    assert encryption["JobBookmarksEncryption"]["JobBookmarksEncryptionMode"] == "CSE-KMS"
    assert stack.only("AWS::Glue::Job")["SecurityConfiguration"]


def test_the_connection_asks_for_tls_and_takes_its_login_from_the_secret(stack: Stack) -> None:
    connection = stack.only("AWS::Glue::Connection")["ConnectionInput"]
    properties = connection["ConnectionProperties"]
    assert (
        properties["JDBC_CONNECTION_URL"] == "jdbc:postgresql://core-banking.dev.bank.example:5432/core?sslmode=require"
    )
    assert properties["JDBC_ENFORCE_SSL"] == "true"
    assert "Login" in json.dumps(properties["SECRET_ID"])
    assert connection["PhysicalConnectionRequirements"]["AvailabilityZone"] == "eu-west-1a"


@pytest.mark.parametrize(
    ("engine", "url"),
    [
        ("postgresql", "jdbc:postgresql://db:1/core?sslmode=require"),
        ("mysql", "jdbc:mysql://db:1/core?sslMode=REQUIRED"),
        ("sqlserver", "jdbc:sqlserver://db:1;databaseName=core;encrypt=true;trustServerCertificate=true"),
        ("oracle", "jdbc:oracle:thin:@tcps://db:1/core"),
    ],
)
def test_every_engines_url_refuses_an_unencrypted_connection(engine: Any, url: str) -> None:
    assert jdbc_url(engine=engine, host="db", port=1, database="core") == url


def test_both_secrets_are_generated_under_the_key_of_the_vault(stack: Stack) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")
    assert len(secrets) == 2
    for secret in secrets.values():
        assert "KeysVault" in json.dumps(secret["KmsKeyId"])
        assert "SecretString" not in secret


def test_the_pseudonym_key_is_32_bytes_of_hex(stack: Stack) -> None:
    recipe = stack.only("AWS::SecretsManager::Secret", containing="PseudonymKey")["GenerateSecretString"]
    assert recipe["PasswordLength"] == 64
    assert recipe["GenerateStringKey"] == "key"
    left = set("abcdefghijklmnopqrstuvwxyz0123456789") - set(recipe["ExcludeCharacters"])
    assert left == set("0123456789abcdef")
    assert recipe["ExcludeUppercase"] and recipe["ExcludePunctuation"]


def test_the_job_writes_below_its_models_prefixes_alone(allowed: list[dict[str, Any]]) -> None:
    places = resources_of(allowed, "s3:PutObject") + resources_of(allowed, "s3:DeleteObject")
    evidence = {place for place in places if "ZonesEvidence" in place}
    assert len(evidence) == 1
    assert all("/bank_churn/erasures/*" in place for place in evidence)
    assert all("/bank_churn/*" in place for place in set(places) - evidence)
    assert not any(zone in place for place in places for zone in ("Models", "Features", "Monitoring"))


def test_old_versions_are_removed_in_the_vault_alone_and_below_the_models_prefix(allowed: list[dict[str, Any]]) -> None:
    [place] = resources_of(allowed, "s3:DeleteObjectVersion")
    assert "ZonesVault" in place and "/bank_churn/*" in place
    [listing] = [s for s in allowed if "s3:ListBucketVersions" in s["Action"]]
    assert "ZonesVault" in json.dumps(listing["Resource"])
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["bank_churn/*"]}}


def test_what_was_published_is_never_deleted(allowed: list[dict[str, Any]]) -> None:
    assert not any("ZonesCurated" in place for place in resources_of(allowed, "s3:DeleteObject"))


def test_the_job_reads_the_two_secrets_and_no_other(allowed: list[dict[str, Any]]) -> None:
    places = resources_of(allowed, "secretsmanager:GetSecretValue")
    assert len(places) == 2
    assert all("Ref" in place for place in places)


def test_the_job_reads_nothing_under_the_key_of_models(allowed: list[dict[str, Any]]) -> None:
    keys = resources_of(allowed, "kms:Decrypt")
    assert len(keys) == 3
    assert not any("KeysModels" in key for key in keys)


def test_the_key_of_evidence_encrypts_reports_and_decrypts_nothing(allowed: list[dict[str, Any]]) -> None:
    [use] = [s for s in allowed if "KeysModels" in json.dumps(s["Resource"])]
    assert use["Action"] == ["kms:GenerateDataKey"]
    assert use["Condition"] == {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}


def test_metrics_go_to_glues_namespace_alone(allowed: list[dict[str, Any]]) -> None:
    [metrics] = [s for s in allowed if "cloudwatch:PutMetricData" in s["Action"]]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Glue"}}


def test_the_role_holds_no_wildcard_action_and_passes_no_role(allowed: list[dict[str, Any]]) -> None:
    actions = {action for s in allowed for action in s["Action"]}
    assert not any("*" in action for action in actions)
    assert "iam:PassRole" not in actions


def test_the_job_starts_and_repeats_itself_never(stack: Stack) -> None:
    assert stack.of_type("AWS::Glue::Trigger") == {}
    job = stack.only("AWS::Glue::Job")
    assert job["MaxRetries"] == 0
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}


def test_secrets_of_prod_outlive_their_stack() -> None:
    bodies = synthesised()["prod"]["Ingestion"].resources.values()
    assert {b["DeletionPolicy"] for b in bodies if b["Type"] == "AWS::SecretsManager::Secret"} == {"Retain"}


def test_the_stack_tells_what_others_need(stack: Stack) -> None:
    outputs = {name for name in stack.template["Outputs"] if not name.startswith("ExportsOutput")}
    assert outputs == {"GlueJobName", "ConnectionName", "SourceSecretArn", "PseudonymKeySecretArn"}
