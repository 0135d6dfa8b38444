"""The Feature Store of embedded AWS: groups, records online and offline, and the resource type over it."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws

BUCKET = "front-features"
ROLE = "arn:aws:iam::000000000000:role/offline"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DEFINITIONS = [
    {"FeatureName": "person", "FeatureType": "String"},
    {"FeatureName": "event_time", "FeatureType": "String"},
    {"FeatureName": "age", "FeatureType": "Integral"},
    {"FeatureName": "balance", "FeatureType": "Fractional"},
    {"FeatureName": "town", "FeatureType": "String"},
]
Record = list[dict[str, str]]


@pytest.fixture(scope="module", autouse=True)
def bucket(aws: EmbeddedAws) -> None:
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.region})


@pytest.fixture
def group(aws: EmbeddedAws, request: pytest.FixtureRequest) -> str:
    name = request.node.name.split("[")[0].replace("_", "-")[:60].strip("-")
    create(aws, name)
    return name


@pytest.fixture
def runtime(aws: EmbeddedAws) -> Any:
    return aws.client("sagemaker-featurestore-runtime")


def create(aws: EmbeddedAws, name: str, **changes: Any) -> None:
    request: dict[str, Any] = {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "person",
        "EventTimeFeatureName": "event_time",
        "FeatureDefinitions": DEFINITIONS,
        "OnlineStoreConfig": {"EnableOnlineStore": True},
        "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": f"s3://{BUCKET}/{name}"}},
        "RoleArn": ROLE,
        **changes,
    }
    aws.client("sagemaker").create_feature_group(**request)


def record(person: str = "7", at: datetime | str = NOON, **values: str) -> Record:
    moment = at if isinstance(at, str) else f"{at:%Y-%m-%dT%H:%M:%SZ}"
    content = {"person": person, "event_time": moment, **values}
    return [{"FeatureName": name, "ValueAsString": value} for name, value in content.items()]


def values(answer: dict[str, Any]) -> dict[str, str] | None:
    found = answer.get("Record")
    return None if found is None else {item["FeatureName"]: item["ValueAsString"] for item in found}


def test_a_record_that_was_put_is_got_and_an_unknown_one_is_empty(runtime: Any, group: str) -> None:
    runtime.put_record(FeatureGroupName=group, Record=record(age="41", balance="0.1", town="Łódź & Köln/1?"))
    got = values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="7"))
    assert got == {
        "person": "7",
        "event_time": "2026-11-24T12:00:00Z",
        "age": "41",
        "balance": "0.1",
        "town": "Łódź & Köln/1?",
    }
    some = runtime.get_record(
        FeatureGroupName=group, RecordIdentifierValueAsString="7", FeatureNames=["age", "balance"]
    )
    assert values(some) == {"age": "41", "balance": "0.1"}
    assert "Record" not in runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="8")


def test_an_older_and_an_equal_event_time_do_not_replace_a_newer_record(runtime: Any, group: str) -> None:
    for at, age in ((NOON, "1"), (NOON - timedelta(hours=1), "2"), (NOON, "3")):
        runtime.put_record(FeatureGroupName=group, Record=record(at=at, age=age))
    assert values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="7"))["age"] == "1"
    runtime.put_record(FeatureGroupName=group, Record=record(at=NOON + timedelta(seconds=1), town="Graz"))
    newest = values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="7"))
    assert newest == {"person": "7", "event_time": "2026-11-24T12:00:01Z", "town": "Graz"}, "a record is replaced whole"


@pytest.mark.parametrize(
    ("faulty", "complaint"),
    [
        (record(colour="red"), r"FeatureName \[colour\] does not exist"),
        (record(age="4.5"), r"FeatureName \[age\] must be of type Integral"),
        (record(balance="much"), r"FeatureName \[balance\] must be of type Fractional"),
        (record(balance="inf"), r"FeatureName \[balance\] must be of type Fractional"),
        (record(at="24.11.2026"), r"EventTimeFeatureName \[event_time\] must be in ISO-8601"),
        (record()[1:], r"RecordIdentifierFeatureName \[person\] is missing"),
        (record()[:1], r"EventTimeFeatureName \[event_time\] is missing"),
        ([*record(), *record()], "stands in the record twice"),
    ],
)
def test_a_faulty_record_is_refused_with_the_feature_at_fault(
    aws: EmbeddedAws, runtime: Any, faulty: Record, complaint: str
) -> None:
    if not aws.client("sagemaker").list_feature_groups(NameContains="front-faulty")["FeatureGroupSummaries"]:
        create(aws, "front-faulty")
    with pytest.raises(ClientError, match=rf"ValidationError.*{complaint}"):
        runtime.put_record(FeatureGroupName="front-faulty", Record=faulty)


def test_a_group_that_is_not_there_is_not_found(runtime: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        runtime.get_record(FeatureGroupName="front-nowhere", RecordIdentifierValueAsString="7")


def test_a_record_expires_by_its_own_lifetime_or_its_groups(aws: EmbeddedAws, runtime: Any, group: str) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    hour = {"Unit": "Hours", "Value": 1}
    runtime.put_record(FeatureGroupName=group, Record=record("own", yesterday), TtlDuration=hour)
    runtime.put_record(FeatureGroupName=group, Record=record("none", yesterday))
    aws.client("sagemaker").update_feature_group(
        FeatureGroupName=group, OnlineStoreConfig={"TtlDuration": {"Unit": "Days", "Value": 2}}
    )
    runtime.put_record(FeatureGroupName=group, Record=record("group", yesterday))
    found = {
        person: runtime.get_record(
            FeatureGroupName=group, RecordIdentifierValueAsString=person, ExpirationTimeResponse="Enabled"
        )
        for person in ("own", "none", "group")
    }
    assert values(found["own"]) is None
    assert values(found["none"]) is not None
    assert "ExpiresAt" not in found["none"]
    assert found["group"]["ExpiresAt"] == f"{yesterday + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"


def test_many_records_are_got_at_once_and_what_cannot_be_is_told(runtime: Any, group: str) -> None:
    for person in ("1", "2"):
        runtime.put_record(FeatureGroupName=group, Record=record(person, age=person))
    answer = runtime.batch_get_record(
        Identifiers=[
            {"FeatureGroupName": group, "RecordIdentifiersValueAsString": ["1", "2", "3"], "FeatureNames": ["age"]},
            {"FeatureGroupName": "front-nowhere", "RecordIdentifiersValueAsString": ["1"]},
        ]
    )
    assert [(item["RecordIdentifierValueAsString"], values(item)) for item in answer["Records"]] == [
        ("1", {"age": "1"}),
        ("2", {"age": "2"}),
    ]
    assert [error["ErrorCode"] for error in answer["Errors"]] == ["ResourceNotFound"]
    assert answer["UnprocessedIdentifiers"] == []


def test_a_deleted_record_is_gone_and_an_older_one_does_not_bring_it_back(runtime: Any, group: str) -> None:
    runtime.put_record(FeatureGroupName=group, Record=record())
    later = f"{NOON + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    with pytest.raises(ClientError, match="EventTime"):
        runtime.delete_record(
            FeatureGroupName=group,
            RecordIdentifierValueAsString="7",
            EventTime=f"{NOON:%Y-%m-%dT%H:%M:%SZ}",
            DeletionMode="HardDelete",
        )
    runtime.delete_record(FeatureGroupName=group, RecordIdentifierValueAsString="7", EventTime=later)
    assert values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="7")) is None
    runtime.put_record(FeatureGroupName=group, Record=record(at=NOON + timedelta(minutes=30)))
    assert values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="7")) is None
    runtime.put_record(FeatureGroupName=group, Record=record(at=NOON + timedelta(hours=2)))
    assert values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="7")) is not None


def test_every_record_reaches_the_offline_store_under_the_services_layout(
    aws: EmbeddedAws, runtime: Any, group: str, eventually: Callable[..., Any]
) -> None:
    runtime.put_record(FeatureGroupName=group, Record=record(age="1"))
    runtime.put_record(FeatureGroupName=group, Record=record(at=NOON - timedelta(minutes=1), age="2", balance="0.5"))
    runtime.put_record(FeatureGroupName=group, Record=record("9"), TargetStores=["OnlineStore"])
    runtime.delete_record(
        FeatureGroupName=group, RecordIdentifierValueAsString="7", EventTime="2026-11-24T12:30:00.000Z"
    )
    described = aws.client("sagemaker").describe_feature_group(FeatureGroupName=group)
    place = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    assert place.startswith(f"s3://{BUCKET}/{group}/000000000000/sagemaker/{aws.region}/offline-store/{group}-")
    prefix = place.removeprefix(f"s3://{BUCKET}/")

    def rows() -> list[dict[str, Any]] | None:
        listed = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        found = []
        for entry in listed:
            assert entry["Key"].startswith(f"{prefix}/year=2026/month=11/day=24/hour=1")
            assert entry["Key"].endswith(".parquet")
            body = aws.client("s3").get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            found += pq.ParquetFile(io.BytesIO(body)).read().to_pylist()
        return found if len(found) >= 3 else None

    found = sorted(eventually(rows), key=lambda row: str(row["event_time"]))
    assert [(row["age"], row["balance"], row["is_deleted"]) for row in found] == [
        (2, 0.5, False),
        (1, None, False),
        (None, None, True),
    ]
    assert all(row["write_time"] >= row["api_invocation_time"] for row in found)
    catalog = described["OfflineStoreConfig"]["DataCatalogConfig"]
    table = aws.client("glue").get_table(DatabaseName=catalog["Database"], Name=catalog["TableName"])["Table"]
    assert table["StorageDescriptor"]["Location"] == place


def test_features_are_added_and_none_is_changed(aws: EmbeddedAws, runtime: Any, group: str) -> None:
    sagemaker = aws.client("sagemaker")
    added = {"FeatureName": "products", "FeatureType": "Integral"}
    sagemaker.update_feature_group(FeatureGroupName=group, FeatureAdditions=[added])
    runtime.put_record(FeatureGroupName=group, Record=record(products="3"))
    group_now = sagemaker.describe_feature_group(FeatureGroupName=group)
    assert group_now["FeatureDefinitions"] == [*DEFINITIONS, added]
    assert group_now["LastUpdateStatus"] == {"Status": "Successful"}
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.update_feature_group(
            FeatureGroupName=group, FeatureAdditions=[{"FeatureName": "age", "FeatureType": "String"}]
        )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"RecordIdentifierFeatureName": "nobody"}, "RecordIdentifierFeatureName nobody is not a feature"),
        ({"EventTimeFeatureName": "age"}, "must be a String or Fractional feature"),
        ({"FeatureDefinitions": [*DEFINITIONS, {"FeatureName": "is_deleted", "FeatureType": "String"}]}, "is reserved"),
        ({"FeatureDefinitions": [*DEFINITIONS, DEFINITIONS[0]]}, "a feature twice"),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(aws: EmbeddedAws, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ClientError, match=complaint):
        create(aws, "front-senseless", **changes)


def test_a_group_is_listed_once_and_deleted(aws: EmbeddedAws, group: str) -> None:
    sagemaker = aws.client("sagemaker")
    with pytest.raises(ClientError, match="ResourceInUse"):
        create(aws, group)
    listed = sagemaker.list_feature_groups(NameContains=group, FeatureGroupStatusEquals="Created")
    assert [item["FeatureGroupName"] for item in listed["FeatureGroupSummaries"]] == [group]
    sagemaker.delete_feature_group(FeatureGroupName=group)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_feature_group(FeatureGroupName=group)


def test_a_processing_job_reaches_the_feature_store(
    aws: EmbeddedAws, runtime: Any, group: str, eventually: Callable[..., Any]
) -> None:
    script = (
        "import boto3, json, sys; boto3.client('sagemaker-featurestore-runtime')"
        ".put_record(FeatureGroupName=sys.argv[1], Record=json.loads(sys.argv[2]))"
    )
    sagemaker = aws.client("sagemaker")
    sagemaker.create_processing_job(
        ProcessingJobName=group,
        RoleArn=ROLE,
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        AppSpecification={
            "ImageUri": "any",
            "ContainerEntrypoint": ["python3", "-c", script],
            "ContainerArguments": [group, json.dumps(record(age="5"))],
        },
    )

    def ended() -> str | None:
        status = sagemaker.describe_processing_job(ProcessingJobName=group)["ProcessingJobStatus"]
        return None if status == "InProgress" else str(status)

    assert eventually(ended) == "Completed"
    got = values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="7"))
    assert got is not None
    assert got["age"] == "5"


def template(name: str, definitions: list[dict[str, str]], days: int = 90) -> dict[str, Any]:
    properties = {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "person",
        "EventTimeFeatureName": "event_time",
        "FeatureDefinitions": definitions,
        "OnlineStoreConfig": {"EnableOnlineStore": True, "TtlDuration": {"Unit": "Days", "Value": days}},
        "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": f"s3://{BUCKET}/{name}"}},
        "RoleArn": ROLE,
    }
    return {"Group": {"Type": "AWS::SageMaker::FeatureGroup", "Properties": properties}}


def test_a_stack_extends_its_group_in_place_and_cannot_take_a_feature_away(
    aws: EmbeddedAws, runtime: Any, stacks: Any
) -> None:
    name, sagemaker = "front-stacked", aws.client("sagemaker")
    assert stacks.deploy(name, template(name, DEFINITIONS[:4])) == "CREATE_COMPLETE", stacks.why(name)
    runtime.put_record(FeatureGroupName=name, Record=record(at=datetime.now(UTC), age="3"))
    assert stacks.deploy(name, template(name, DEFINITIONS, days=30)) == "UPDATE_COMPLETE", stacks.why(name)
    group = sagemaker.describe_feature_group(FeatureGroupName=name)
    assert group["FeatureDefinitions"] == DEFINITIONS
    assert group["OnlineStoreConfig"]["TtlDuration"] == {"Unit": "Days", "Value": 30}
    kept = runtime.get_record(FeatureGroupName=name, RecordIdentifierValueAsString="7")
    assert values(kept) is not None, "an addition keeps the online store"
    assert "ROLLBACK" in stacks.deploy(name, template(name, DEFINITIONS[:3]))
    assert "balance" in stacks.why(name)
    stacks.delete(name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_feature_group(FeatureGroupName=name)
