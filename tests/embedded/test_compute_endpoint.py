"""Endpoints served for real by a toy artefact, with S3, Logs and CloudWatch in memory."""

import base64
import functools
import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from moto import mock_aws

from embedded.compute.endpoint import EndpointFailure, EndpointHost, Invocation, Request, UnknownVariant

AWS = {"AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded", "AWS_DEFAULT_REGION": "eu-west-1"}

HOOKS = """
import os, pathlib, time

class Refusal(Exception):
    status_code = 400

def model_fn(model_dir):
    return float((pathlib.Path(model_dir) / "number").read_text())

def input_fn(body, content_type):
    body = body.decode() if isinstance(body, bytes) else body
    if body == "bad":
        raise Refusal("field age is missing")
    if body == "crash":
        raise KeyError("bug")
    if body == "die":
        os._exit(3)
    return [float(value) for value in body.split(",")]

def predict_fn(data, model):
    time.sleep(0.002)
    return [value + model for value in data]
"""
OUTPUT = """
def output_fn(prediction, accept):
    if accept == "application/json":
        return '{"predictions": %s}' % prediction, "application/json"
    return "\\n".join(map(str, prediction)) + "\\n"
"""


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@functools.cache
def client(service: str) -> Any:
    keys = {"aws_access_key_id": "embedded", "aws_secret_access_key": "embedded"}
    return boto3.client(service, region_name="eu-west-1", **keys)  # type: ignore[call-overload]


class Account:
    """Models in memory; everything else of AWS through moto."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.packages: dict[str, dict[str, Any]] = {}
        place = {"LocationConstraint": "eu-west-1"}
        self.s3.create_bucket(Bucket="zone", CreateBucketConfiguration=place)

    @property
    def s3(self) -> Any:
        return client("s3")

    def client(self, service: str) -> Any:
        return self if service == "sagemaker" else client(service)

    def describe_model(self, *, ModelName: str) -> dict[str, Any]:
        return self.models[ModelName]

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        return self.packages[ModelPackageName]

    def put_model(self, name: str, files: dict[str, str], **environment: str) -> str:
        self.s3.put_object(Bucket="zone", Key=f"{name}.tar.gz", Body=archive(files))
        container = {
            "ModelDataUrl": f"s3://zone/{name}.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                **environment,
            },
        }
        self.models[name] = {"PrimaryContainer": container}
        return name

    def captured(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        for entry in self.s3.list_objects_v2(Bucket="zone", Prefix="capture/").get("Contents", []):
            body = self.s3.get_object(Bucket="zone", Key=entry["Key"])["Body"].read().decode()
            found.extend((entry["Key"], json.loads(line)) for line in body.splitlines())
        return found


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account()


@pytest.fixture
def host(account: Account, tmp_path: Path) -> Iterator[EndpointHost]:
    endpoint = EndpointHost(name="churn", client=account.client, workdir=tmp_path / "churn", environment=AWS)
    yield endpoint
    endpoint.stop()


def config(*models: str, **changes: Any) -> dict[str, Any]:
    variants = [
        {"VariantName": f"V{position}", "ModelName": model, "InitialInstanceCount": 1}
        for position, model in enumerate(models)
    ]
    return {
        "ProductionVariants": variants,
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://zone/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
            **changes,
        },
    }


def toy(number: int) -> dict[str, str]:
    return {"number": str(number), "code/inference.py": HOOKS + OUTPUT}


def invoke(host: EndpointHost, **request: Any) -> Invocation:
    return host.invoke(Request(**request))


def eventually(happens: Callable[[], bool]) -> bool:
    for _ in range(200):
        if happens():
            return True
        time.sleep(0.05)
    return False


def test_the_artefacts_own_hooks_answer(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    answer = invoke(host, body=b"1,2", content_type="text/csv")
    assert (answer.status, answer.body, answer.content_type, answer.variant) == (200, b"2.0\n3.0\n", "text/csv", "V0")
    answer = invoke(host, body=b"1", content_type="text/csv", accept="application/json")
    assert (json.loads(answer.body), answer.content_type) == ({"predictions": [2.0]}, "application/json")
    assert urllib3.request("GET", f"{host.url}/ping").status == 200


def test_a_missing_output_fn_gets_the_containers_default(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", {"number": "1", "code/inference.py": HOOKS})))
    assert invoke(host, body=b"1,2", content_type="text/csv").body == b"2.0\n3.0"
    assert invoke(host, body=b"1", content_type="text/csv", accept="application/json").body == b"[2.0]"
    assert invoke(host, body=b"1", content_type="text/csv", accept="image/png").status == 415


def test_a_model_package_brings_artefact_and_environment(account: Account, host: EndpointHost) -> None:
    account.put_model("one", toy(1))
    account.packages["arn:package/7"] = {
        "InferenceSpecification": {"Containers": [account.models["one"]["PrimaryContainer"]]}
    }
    account.models["from-package"] = {"Containers": [{"ModelPackageName": "arn:package/7"}]}
    host.update(config("from-package"))
    assert invoke(host, body=b"1", content_type="text/csv").body == b"2.0\n"


def test_errors_keep_their_kind(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    refused = invoke(host, body=b"bad", content_type="text/csv")
    assert (refused.status, refused.body) == (400, b"field age is missing")
    crashed = invoke(host, body=b"crash", content_type="text/csv")
    assert (crashed.status, crashed.body) == (500, b"KeyError: 'bug'")
    host.flush()
    assert account.captured() == []


def test_capture_has_sagemakers_format(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    invoke(host, body=b"1,2", content_type="text/csv; charset=utf-8", inference_id="id-1", custom_attributes="c=1")
    invoke(host, body=b"1", content_type="text/csv", accept="application/json")
    host.flush()
    (key, first), (_, second) = account.captured()
    prefix, name = key.rsplit("/", 1)
    parts = prefix.split("/")
    assert parts[:3] == ["capture", "churn", "V0"]
    assert [len(part) for part in parts[3:]] == [4, 2, 2, 2]
    assert name.endswith(".jsonl")
    assert [len(part) for part in name.split("-")[:3]] == [2, 2, 3]
    event = first.pop("eventMetadata")
    assert first == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "INPUT",
                "data": "1,2",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "text/csv",
                "mode": "OUTPUT",
                "data": "2.0\n3.0\n",
                "encoding": "CSV",
            },
        },
        "eventVersion": "0",
    }
    assert set(event) == {"eventId", "inferenceId", "customAttributes", "inferenceTime"}
    assert (event["inferenceId"], event["customAttributes"]) == ("id-1", ["c=1"])
    assert second["captureData"]["endpointOutput"]["encoding"] == "JSON"
    assert set(second["eventMetadata"]) == {"eventId", "inferenceTime"}


def test_capture_encodes_what_no_header_names_and_leaves_out_what_is_not_asked(
    account: Account, host: EndpointHost
) -> None:
    host.update(
        config(account.put_model("one", toy(1)), CaptureOptions=[{"CaptureMode": "Input"}], CaptureContentTypeHeader={})
    )
    invoke(host, body=b"1,2", content_type="text/csv")
    host.flush()
    ((_, record),) = account.captured()
    assert set(record["captureData"]) == {"endpointInput"}
    assert record["captureData"]["endpointInput"]["encoding"] == "BASE64"
    assert base64.b64decode(record["captureData"]["endpointInput"]["data"]) == b"1,2"


@pytest.mark.parametrize("change", [{"InitialSamplingPercentage": 0}, {"EnableCapture": False}])
def test_capture_can_be_off(account: Account, host: EndpointHost, change: dict[str, Any]) -> None:
    host.update(config(account.put_model("one", toy(1)), **change))
    invoke(host, body=b"1", content_type="text/csv")
    host.flush()
    assert account.captured() == []


def test_capture_arrives_without_being_asked_for(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    invoke(host, body=b"1", content_type="text/csv")
    assert eventually(lambda: bool(account.captured()))


def test_update_loses_no_request(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    answers: list[tuple[int, bytes]] = []
    enough = threading.Event()

    def send() -> None:
        while not enough.is_set():
            answer = invoke(host, body=b"1", content_type="text/csv")
            answers.append((answer.status, answer.body))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    host.update(config(account.put_model("two", toy(2))))
    assert eventually(lambda: (200, b"3.0\n") in answers)
    enough.set()
    for sender in senders:
        sender.join(timeout=30)
    assert set(answers) == {(200, b"2.0\n"), (200, b"3.0\n")}
    host.flush()
    assert len(account.captured()) == len(answers)


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"code/inference.py": HOOKS + OUTPUT}, "ping health check"),
        ({"number": "2", "code/other.py": ""}, "SAGEMAKER_PROGRAM"),
        ({"../outside": "x"}, "Failed to extract"),
    ],
)
def test_a_bad_model_leaves_the_old_one_serving(
    account: Account, host: EndpointHost, files: dict[str, str], word: str
) -> None:
    host.update(config(account.put_model("one", toy(1))))
    account.put_model("bad", files)
    with pytest.raises(EndpointFailure, match=word):
        host.update(config("bad"))
    assert invoke(host, body=b"1", content_type="text/csv").body == b"2.0\n"


def test_model_data_that_is_not_there_is_named(account: Account, host: EndpointHost) -> None:
    account.models["lost"] = {"PrimaryContainer": {"ModelDataUrl": "s3://zone/lost.tar.gz"}}
    with pytest.raises(EndpointFailure, match=r"Could not find model data at s3://zone/lost\.tar\.gz"):
        host.update(config("lost"))


def test_variants_share_requests_by_weight_and_can_be_asked_for(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1)), account.put_model("two", toy(2))))
    assert host.variants == ("V0", "V1")
    host.update_weights({"V0": 0.0, "V1": 1.0})
    assert {invoke(host, body=b"1", content_type="text/csv").variant for _ in range(10)} == {"V1"}
    asked = invoke(host, body=b"1", content_type="text/csv", target_variant="V0")
    assert (asked.variant, asked.body) == ("V0", b"2.0\n")
    with pytest.raises(UnknownVariant, match="V9"):
        invoke(host, body=b"1", content_type="text/csv", target_variant="V9")


def test_invocations_are_counted(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    for body in (b"1", b"1", b"bad", b"crash"):
        invoke(host, body=body, content_type="text/csv")
    host.flush()
    metrics = account.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker")["Metrics"]
    dimensions = [{"Name": "EndpointName", "Value": "churn"}, {"Name": "VariantName", "Value": "V0"}]
    assert all(metric["Dimensions"] == dimensions for metric in metrics)
    sums = {
        name: account.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=time.time() - 600,
            EndTime=time.time() + 600,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        for name in ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency")
    }
    totals = {name: sum(point["Sum"] for point in points) for name, points in sums.items()}
    assert totals.pop("ModelLatency") > 0
    assert totals == {"Invocations": 4, "Invocation4XXErrors": 1, "Invocation5XXErrors": 1}


def test_a_container_that_dies_is_started_again(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    assert invoke(host, body=b"die", content_type="text/csv").status == 503
    assert eventually(lambda: invoke(host, body=b"1", content_type="text/csv").status == 200)


def test_stop_ends_the_process(account: Account, host: EndpointHost) -> None:
    host.update(config(account.put_model("one", toy(1))))
    url = host.url
    host.stop()
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", f"{url}/ping", retries=False)
    with pytest.raises(EndpointFailure):
        host.update(config("one"))
