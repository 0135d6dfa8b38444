"""The zones, the catalogue and the query workgroup."""

import json
from typing import Any

import pytest

from tests.infrastructure.platform_assembly import MODEL, Stack, statements, synthesised

DATA_ZONES = {
    "Raw": "KeysVault",
    "Curated": "KeysData",
    "Features": "KeysData",
    "Models": "KeysModels",
    "Monitoring": "KeysData",
    "Evidence": "KeysModels",
    "Vault": "KeysVault",
}


@pytest.fixture(scope="module", params=["dev", "prod"])
def lake(request: pytest.FixtureRequest) -> Stack:
    return synthesised()[request.param]["DataLake"]


def bucket(lake: Stack, zone: str) -> dict[str, Any]:
    return lake.only("AWS::S3::Bucket", containing=f"Zones{zone}")


def policy(lake: Stack, zone: str) -> list[dict[str, Any]]:
    return list(statements(lake.only("AWS::S3::BucketPolicy", containing=f"Zones{zone}Policy")["PolicyDocument"]))


def rules(lake: Stack, zone: str) -> dict[str, dict[str, Any]]:
    return {rule["Id"]: rule for rule in bucket(lake, zone)["LifecycleConfiguration"]["Rules"]}


def test_there_is_a_bucket_for_each_zone_and_one_for_logs(lake: Stack) -> None:
    assert len(lake.of_type("AWS::S3::Bucket")) == len(DATA_ZONES) + 1


@pytest.mark.parametrize("zone", [*DATA_ZONES, "Logs"])
def test_every_bucket_is_private_versioned_and_owned_by_the_account(lake: Stack, zone: str) -> None:
    body = bucket(lake, zone)
    assert set(body["PublicAccessBlockConfiguration"].values()) == {True}
    assert body["VersioningConfiguration"] == {"Status": "Enabled"}
    assert body["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert "BucketName" not in body
    assert "AccessControl" not in body


@pytest.mark.parametrize("zone", [*DATA_ZONES, "Logs"])
def test_every_bucket_refuses_plain_http_and_old_tls(lake: Stack, zone: str) -> None:
    conditions = [s["Condition"] for s in policy(lake, zone) if s["Effect"] == "Deny" and s["Action"] == ["s3:*"]]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


@pytest.mark.parametrize(("zone", "key"), DATA_ZONES.items())
def test_every_zone_is_encrypted_with_the_key_of_its_purpose(lake: Stack, zone: str, key: str) -> None:
    [rule] = bucket(lake, zone)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert key in json.dumps(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])


@pytest.mark.parametrize(("zone", "key"), DATA_ZONES.items())
def test_every_zone_refuses_objects_under_another_key_and_takes_those_that_name_none(
    lake: Stack, zone: str, key: str
) -> None:
    refused = {s["Sid"]: s for s in policy(lake, zone) if s["Action"] == ["s3:PutObject"]}
    assert set(refused) == {"OtherEncryption", "OtherKey", "UnnamedKey"}
    assert {s["Effect"] for s in refused.values()} == {"Deny"}
    named = refused["OtherKey"]["Condition"]
    # Both must hold, so a request without the header, which the bucket's default answers, is not refused.
    assert named["Null"] == {"s3:x-amz-server-side-encryption-aws-kms-key-id": "false"}
    assert key in json.dumps(named["StringNotEquals"])


@pytest.mark.parametrize("zone", DATA_ZONES)
def test_access_to_every_zone_is_logged_under_its_own_prefix(lake: Stack, zone: str) -> None:
    logging = bucket(lake, zone)["LoggingConfiguration"]
    assert "ZonesLogs" in logging["DestinationBucketName"]["Ref"]
    assert logging["LogFilePrefix"] == f"s3/{zone.lower()}/"


def test_access_logs_use_the_one_encryption_that_s3_delivers_to(lake: Stack) -> None:
    [rule] = bucket(lake, "Logs")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_raw_data_is_forgotten_as_configured(lake: Stack) -> None:
    forget = rules(lake, "Raw")["Forget"]
    assert forget["ExpirationInDays"] == 7
    assert forget["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_query_results_are_forgotten_and_nothing_else_of_the_curated_zone(lake: Stack) -> None:
    expiring = [rule for rule in rules(lake, "Curated").values() if "ExpirationInDays" in rule]
    assert [(rule["Prefix"], rule["ExpirationInDays"]) for rule in expiring] == [("athena-results/", 7)]


@pytest.mark.parametrize("zone", ["Features", "Models", "Monitoring", "Evidence", "Vault"])
def test_nothing_that_was_made_expires(lake: Stack, zone: str) -> None:
    assert all("ExpirationInDays" not in rule for rule in rules(lake, zone).values())


@pytest.mark.parametrize("zone", DATA_ZONES)
def test_broken_uploads_do_not_pile_up(lake: Stack, zone: str) -> None:
    assert rules(lake, zone)["BrokenUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.mark.parametrize(("environment", "answer"), [("dev", "Delete"), ("prod", "Retain")])
def test_prod_keeps_what_holds_data_and_dev_lets_go(environment: str, answer: str) -> None:
    lake = synthesised()[environment]["DataLake"]
    kept = {
        body["DeletionPolicy"]
        for body in lake.resources.values()
        if body["Type"] in ("AWS::S3::Bucket", "AWS::KMS::Key")
    }
    assert kept == {answer}


def test_evidence_of_prod_is_locked_for_ten_years() -> None:
    evidence = bucket(synthesised()["prod"]["DataLake"], "Evidence")
    assert evidence["ObjectLockEnabled"] is True
    assert evidence["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 3653}


def test_evidence_of_dev_is_not_locked() -> None:
    assert "ObjectLockEnabled" not in bucket(synthesised()["dev"]["DataLake"], "Evidence")


def table_of(lake: Stack, name: str) -> dict[str, Any]:
    [table] = [t["TableInput"] for t in lake.of_type("AWS::Glue::Table").values() if t["TableInput"]["Name"] == name]
    return dict(table)


def test_each_model_has_a_table_of_what_its_treatments_leave(lake: Stack) -> None:
    table = table_of(lake, MODEL.name)
    columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert table["Name"] == MODEL.name
    assert list(columns) == list(MODEL.outputs)
    assert columns["customer_ref"] == "bigint"  # a surrogate of an integer
    assert columns["account_hash"] == "string"
    assert columns["age_group"] == "string"  # a band of a date
    assert columns["balance"] == "double"


def test_a_table_reads_the_current_version_and_not_every_run(lake: Stack) -> None:
    storage = table_of(lake, MODEL.name)["StorageDescriptor"]
    assert json.dumps(storage["Location"]).endswith('/bank_churn/current/"]]}')
    assert storage["InputFormat"].endswith("SymlinkTextInputFormat")


def test_each_model_has_a_table_of_its_versions_with_the_same_columns(lake: Stack) -> None:
    current, versions = table_of(lake, MODEL.name), table_of(lake, f"{MODEL.name}_versions")
    assert versions["StorageDescriptor"]["Columns"] == current["StorageDescriptor"]["Columns"]
    assert versions["PartitionKeys"] == [{"Name": "run_id", "Type": "string"}]
    storage = versions["StorageDescriptor"]
    assert storage["InputFormat"] == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    assert storage["OutputFormat"] == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    assert storage["SerdeInfo"] == current["StorageDescriptor"]["SerdeInfo"]


def test_a_version_is_found_by_its_name_and_no_partition_is_ever_registered(lake: Stack) -> None:
    parameters = table_of(lake, f"{MODEL.name}_versions")["Parameters"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.run_id.type"] == "injected"
    [_, [scheme, bucket, path]] = parameters["storage.location.template"]["Fn::Join"]
    assert (scheme, path) == ("s3://", "/bank_churn/runs/${run_id}/")
    assert "ZonesCurated" in json.dumps(bucket)


def test_the_workgroup_forces_encrypted_results_and_bounds_a_query(lake: Stack) -> None:
    settings = lake.only("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] == 100 * 2**30
    results = settings["ResultConfiguration"]
    assert results["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert "athena-results/" in json.dumps(results["OutputLocation"])


def test_the_stack_tells_what_others_need(lake: Stack) -> None:
    zones = {f"{zone}BucketName" for zone in (*DATA_ZONES, "Logs")}
    outputs = {name for name in lake.template["Outputs"] if not name.startswith("ExportsOutput")}
    assert outputs == zones | {"DatabaseName", "WorkGroupName", "NotificationTopicArn"}
