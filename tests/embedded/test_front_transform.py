"""Batch transform on embedded AWS: real containers fed from S3, jobs with states, events and Step Functions' task."""

import gzip
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from tests.embedded.serving import BUCKET, ROLE, Serving

EVENT = "SageMaker Transform Job State Change"


def request(name: str, model: str, **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/{name}/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }


def ended(serving: Serving, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = serving.sagemaker.describe_transform_job(TransformJobName=name)
        return None if job["TransformJobStatus"] in ("InProgress", "Stopping") else job

    found: dict[str, Any] = serving.eventually(look)
    return found


@pytest.fixture
def told(aws: EmbeddedAws, request: pytest.FixtureRequest) -> Any:
    """The states of a job that its events tell; called with how many are to come."""
    name, sqs, events = request.node.name[:60].strip("[]"), aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.sagemaker"], "detail-type": [EVENT]}))
    arn = f"arn:aws:sqs:eu-west-1:000000000000:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    seen: list[str] = []

    def states(job: str, count: int) -> list[str]:
        def look() -> bool:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                detail = json.loads(message["Body"])["detail"]
                if detail["TransformJobName"] == job:
                    seen.append(detail["TransformJobStatus"])
            return len(seen) >= count

        Serving.eventually(look)
        return seen

    return states


def test_objects_are_answered_beside_their_names(serving: Serving, told: Any) -> None:
    name = "transform-plain"
    model = serving.model(name, "yes")
    serving.put(f"{name}/in/a.csv", "1,2\n3,4\n")
    serving.put(f"{name}/in/deep/b.csv", "5,6\n")
    serving.sagemaker.create_transform_job(**request(name, model))
    job = ended(serving, name)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    assert serving.under(f"{name}/out/") == {
        f"{name}/out/a.csv.out": "yes\nyes\n",
        f"{name}/out/deep/b.csv.out": "yes\n",
    }
    listed = serving.sagemaker.list_transform_jobs(NameContains=name, StatusEquals="Completed")
    assert [item["TransformJobName"] for item in listed["TransformJobSummaries"]] == [name]
    assert told(name, 2) == ["InProgress", "Completed"]


def test_rows_are_filtered_joined_and_captured(serving: Serving) -> None:
    name = "transform-joined"
    model = serving.model(name, "0.5")
    serving.put(f"{name}/in/a.csv", "id-1,1,2\nid-2,3,4\n")
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,3:]"}
    captured = {"DestinationS3Uri": f"s3://{BUCKET}/{name}/captured", "GenerateInferenceId": True}
    changes = {"DataProcessing": processing, "DataCaptureConfig": captured, "BatchStrategy": "SingleRecord"}
    serving.sagemaker.create_transform_job(**request(name, model, **changes))
    job = ended(serving, name)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    rows = [line.split(",") for line in serving.under(f"{name}/out/")[f"{name}/out/a.csv.out"].splitlines()]
    assert [row[:2] for row in rows] == [["id-1", "0.5"], ["id-2", "0.5"]]
    assert [len(row) for row in rows] == [4, 4]  # the answer's id and its time follow
    manifests = {key.split("/")[2]: json.loads(body) for key, body in serving.under(f"{name}/captured/").items()}
    assert manifests == {
        "input": [{"prefix": f"s3://{BUCKET}/{name}/in/"}, "a.csv"],
        "output": [{"prefix": f"s3://{BUCKET}/{name}/out/"}, "a.csv.out"],
    }


def test_a_manifest_of_packed_objects_is_read(serving: Serving) -> None:
    name = "transform-manifest"
    model = serving.model(name, "yes")
    serving.s3.put_object(Bucket=BUCKET, Key=f"{name}/in/a.csv.gz", Body=gzip.compress(b"1\n2\n"))
    serving.put(f"{name}/in/b.csv", "not listed")
    manifest = serving.put(f"{name}/list.json", json.dumps([{"prefix": f"s3://{BUCKET}/{name}/in/"}, "a.csv.gz"]))
    source = {"S3DataType": "ManifestFile", "S3Uri": manifest}
    given = {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"}
    serving.sagemaker.create_transform_job(
        **request(name, model, TransformInput={**given, "CompressionType": "Gzip"}, MaxConcurrentTransforms=2)
    )
    assert ended(serving, name)["TransformJobStatus"] == "Completed"
    assert serving.under(f"{name}/out/") == {f"{name}/out/a.csv.gz.out": "yes\nyes\n"}


@pytest.mark.parametrize(
    ("name", "content", "changes", "reason"),
    [
        ("transform-boom", "boom\n", {}, "AlgorithmError: See job logs.*no such row"),
        ("transform-wide", "1,2\n", {"DataProcessing": {"InputFilter": "$[7]"}}, "no element 7"),
        ("transform-large", "x" * 1_100_000, {"MaxPayloadInMB": 1}, "larger than MaxPayloadInMB of 1"),
        ("transform-empty", None, {}, "No S3 objects found"),
    ],
)
def test_a_job_that_fails_says_why_and_stores_nothing(
    serving: Serving, name: str, content: str | None, changes: dict[str, Any], reason: str
) -> None:
    model = serving.model(name, "yes")
    if content is not None:
        serving.put(f"{name}/in/a.csv", content)
    serving.sagemaker.create_transform_job(**request(name, model, **changes))
    job = ended(serving, name)
    assert job["TransformJobStatus"] == "Failed"
    assert re.search(reason, job["FailureReason"])
    assert serving.under(f"{name}/out/") == {}


def test_a_job_can_be_stopped(serving: Serving) -> None:
    name = "transform-stopped"
    model = serving.model(name, "yes")
    serving.put(f"{name}/in/a.csv", "slow 0.2\n" * 300)
    serving.sagemaker.create_transform_job(**request(name, model, BatchStrategy="SingleRecord"))
    serving.sagemaker.stop_transform_job(TransformJobName=name)
    assert ended(serving, name)["TransformJobStatus"] == "Stopped"
    assert serving.under(f"{name}/out/") == {}
    with pytest.raises(ClientError, match="is in status Stopped"):
        serving.sagemaker.stop_transform_job(TransformJobName=name)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"ModelName": "transform-nowhere"}, "Could not find model"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must not be greater than 100"),
    ],
)
def test_what_cannot_run_is_refused(serving: Serving, changes: dict[str, Any], word: str) -> None:
    name = "transform-refused"
    if not serving.sagemaker.list_models(NameContains=name)["Models"]:
        serving.model(name, "yes")
    with pytest.raises(ClientError, match=rf"ValidationException.*{word}"):
        serving.sagemaker.create_transform_job(**request(name, name, **changes))


def test_a_state_machine_waits_for_its_job(aws: EmbeddedAws, serving: Serving) -> None:
    name, states = "transform-machine", aws.client("stepfunctions")
    model = serving.model(name, "yes")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
        "Parameters": {**request(name, model), "TransformJobName.$": "$.job"},
        "End": True,
    }
    task["Parameters"].pop("TransformJobName")
    definition = json.dumps({"StartAt": "Score", "States": {"Score": task}})
    machine = states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]

    def run(job: str) -> dict[str, Any]:
        started = states.start_execution(stateMachineArn=machine, input=json.dumps({"job": job}))

        def look() -> dict[str, Any] | None:
            execution: dict[str, Any] = states.describe_execution(executionArn=started["executionArn"])
            return None if execution["status"] == "RUNNING" else execution

        found: dict[str, Any] = serving.eventually(look)
        return found

    empty = run(f"{name}-empty")
    assert empty["status"] == "FAILED"
    assert "No S3 objects found" in json.loads(empty["cause"])["FailureReason"]
    serving.put(f"{name}/in/a.csv", "1\n")
    full = run(f"{name}-full")
    assert full["status"] == "SUCCEEDED", full
    assert json.loads(full["output"])["TransformJobStatus"] == "Completed"
    again = run(f"{name}-full")
    assert again["error"].startswith("SageMaker.")
