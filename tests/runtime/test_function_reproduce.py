"""A version is made again by the jobs that were recorded, beside the first, and compared file by file."""

import copy
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from pipeline_scripts.evidence.bundle import members
from pipeline_scripts.functions.artifact_files import file_sha256s
from pipeline_scripts.functions.evidence_bundle import BUNDLE, SIGNATURE
from pipeline_scripts.functions.evidence_signature import sign
from pipeline_scripts.functions.reproduce_version import Reproduction, advance
from tests.runtime.reconcile_world import EVIDENCE, GROUP, MODELS, archive_in, clients, signing_key

ACCOUNT = "arn:aws:sagemaker:eu-west-1:000000000000"
EXECUTION = f"{ACCOUNT}:pipeline/{GROUP}/execution/run1"
FEATURES = "s3://features/bank_churn"
FILES = {"model.json": b'{"trees": []}', "signature.json": b"{}"}


def archive_of(files: dict[str, bytes], *, packed_at: int = 0) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), packed_at
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def s3_input(name: str, uri: str) -> dict[str, Any]:
    place = {"LocalPath": f"/opt/ml/processing/input/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": {"S3Uri": uri, **place}}


def s3_output(name: str, uri: str) -> dict[str, Any]:
    place = {"LocalPath": f"/opt/ml/processing/output/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": {"S3Uri": uri, **place}}


def channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


PREPROCESS = {
    "ProcessingJobName": "pipelines-run1-Preprocess-x",
    "ProcessingJobArn": f"{ACCOUNT}:processing-job/pipelines-run1-Preprocess-x",
    "ProcessingJobStatus": "Completed",
    "CreationTime": 1,
    "ExperimentConfig": {"TrialName": "run1"},
    "RoleArn": "arn:aws:iam::000000000000:role/jobs",
    "AppSpecification": {"ImageUri": "xgboost:3.0-5", "ContainerEntrypoint": ["python3", "-m", "pipeline_scripts"]},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
    },
    "ProcessingInputs": [s3_input("dataset", "s3://curated/bank_churn/v=7"), s3_input("code", "s3://assets/code.zip")],
    "ProcessingOutputConfig": {
        "KmsKeyId": "key",
        "Outputs": [s3_output(side, f"{FEATURES}/run1/{side}") for side in ("train", "validation")],
    },
    "NetworkConfig": {"EnableNetworkIsolation": True},
}
TRAIN = {
    "TrainingJobName": "pipelines-run1-Train-x",
    "TrainingJobArn": f"{ACCOUNT}:training-job/pipelines-run1-Train-x",
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "ModelArtifacts": {"S3ModelArtifacts": f"s3://{MODELS}/bank_churn/run1/output/model.tar.gz"},
    "AlgorithmSpecification": {"TrainingImage": "xgboost:3.0-5", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::000000000000:role/jobs",
    "HyperParameters": {"eta": "0.05"},
    "InputDataConfig": [
        channel("train", f"{FEATURES}/run1/train"),
        channel("validation", f"{FEATURES}/run1/validation"),
        channel("code", "s3://assets/code.zip"),
    ],
    "OutputDataConfig": {"S3OutputPath": f"s3://{MODELS}/bank_churn/run1", "KmsKeyId": "key"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "CheckpointConfig": {"S3Uri": f"s3://{MODELS}/bank_churn/run1/checkpoints"},
    "EnableNetworkIsolation": True,
}


class SageMaker:
    """Version 1 and the execution that made it, and jobs that are in progress until somebody ends them."""

    def __init__(self) -> None:
        self.meta = boto3.client("sagemaker", region_name="eu-west-1").meta
        self.jobs: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.steps: dict[str, Any] = {}
        self.properties: dict[str, str] = {}
        for noun, described in (("processing", PREPROCESS), ("training", TRAIN)):
            name = str(described[f"{noun.capitalize()}JobName"])
            self.jobs[noun, name] = copy.deepcopy(described)
        self.made_by(train={"TrainingJob": {"Arn": TRAIN["TrainingJobArn"]}})

    def made_by(self, *, train: dict[str, Any]) -> None:
        self.steps = {"Preprocess": {"ProcessingJob": {"Arn": PREPROCESS["ProcessingJobArn"]}}, "Train": train}

    def get_paginator(self, operation: str) -> Any:
        if operation == "list_pipeline_execution_steps" and not self.steps:
            raise error("ResourceNotFound", "no such execution")
        pages = {
            "list_model_packages": {"ModelPackageSummaryList": [{"ModelPackageVersion": 1, "ModelPackageArn": "one"}]},
            "list_pipeline_execution_steps": {
                "PipelineExecutionSteps": [{"StepName": name, "Metadata": told} for name, told in self.steps.items()]
            },
        }
        return type("Paginator", (), {"paginate": lambda _, **asked: iter([pages[operation]])})()

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        container = {"ModelDataUrl": TRAIN["ModelArtifacts"]["S3ModelArtifacts"]}  # type: ignore[index]
        return {
            "ModelPackageArn": f"{ACCOUNT}:model-package/{GROUP}/1",
            "ModelPackageVersion": 1,
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {"Containers": [container]},
            "CustomerMetadataProperties": self.properties,
        }

    def describe_hyper_parameter_tuning_job(self, *, HyperParameterTuningJobName: str) -> dict[str, Any]:
        assert HyperParameterTuningJobName == "pipelines-run1-Tune-x"
        return {"BestTrainingJob": {"TrainingJobName": TRAIN["TrainingJobName"]}}

    def describe_processing_job(self, *, ProcessingJobName: str) -> dict[str, Any]:
        return self._job("processing", ProcessingJobName)

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        return self._job("training", TrainingJobName)

    def create_processing_job(self, **request: Any) -> None:
        self._create("processing", request)

    def create_training_job(self, **request: Any) -> None:
        self._create("training", request)

    def end(self, noun: str, **outcome: Any) -> None:
        [job] = [job for (kind, name), job in self.jobs.items() if kind == noun and name.startswith("baton-")]
        job.update({f"{noun.capitalize()}JobStatus": "Completed", **outcome})

    def _job(self, noun: str, name: str) -> dict[str, Any]:
        if (noun, name) not in self.jobs:
            raise error("ValidationException", "Requested resource not found.")
        return self.jobs[noun, name]

    def _create(self, noun: str, request: dict[str, Any]) -> None:
        operation = f"Create{noun.capitalize()}Job"
        validate_parameters(request, self.meta.service_model.operation_model(operation).input_shape)
        name = request[f"{noun.capitalize()}JobName"]
        if (noun, name) in self.jobs:
            raise error("ResourceInUse", "Job name must be unique")
        self.jobs[noun, name] = {**copy.deepcopy(request), f"{noun.capitalize()}JobStatus": "InProgress"}
        self.requests.append((operation, request))


def error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with clients() as (_, found):
        yield found


@pytest.fixture
def sagemaker() -> SageMaker:
    return SageMaker()


@pytest.fixture
def reproduction(s3: Any, sagemaker: SageMaker) -> Reproduction:
    kms = boto3.client("kms")
    archive = archive_in(s3=s3, kms=kms, key_arn=signing_key(kms))
    members = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
    content = json.dumps({"artifact": {"sha256": "a", "members": members}}).encode()
    digest = hashlib.sha256(content).hexdigest()
    s3.put_object(Bucket=EVIDENCE, Key=f"bank_churn/run1/{BUNDLE}", Body=content)
    s3.put_object(
        Bucket=EVIDENCE,
        Key=f"bank_churn/run1/{SIGNATURE}",
        Body=sign(kms, key_arn=archive.key_arn, digest=digest),
    )
    sagemaker.properties = {
        "evidence_uri": f"s3://{EVIDENCE}/bank_churn/run1",
        "evidence_sha256": digest,
        "pipeline_execution": EXECUTION,
    }
    return Reproduction(
        client=sagemaker,
        archive=archive,
        group=GROUP,
        pipeline=GROUP,
        job_prefix="baton-dev-bank-churn",
        features_uri=FEATURES,
        models_uri=f"s3://{MODELS}/bank_churn",
    )


def called(reproduction: Reproduction, **event: Any) -> dict[str, Any]:
    return advance({"version": 1, "run": "r7", **event}, reproduction)


def made(reproduction: Reproduction, sagemaker: SageMaker, s3: Any, files: dict[str, bytes]) -> dict[str, Any]:
    called(reproduction)
    sagemaker.end("processing")
    called(reproduction)
    key = "bank_churn/reproductions/v1-r7/job/output/model.tar.gz"
    s3.put_object(Bucket=MODELS, Key=key, Body=archive_of(files, packed_at=99))
    sagemaker.end("training", ModelArtifacts={"S3ModelArtifacts": f"s3://{MODELS}/{key}"})
    return called(reproduction)


def test_calls_take_a_run_from_preprocessing_to_training(reproduction: Reproduction, sagemaker: SageMaker) -> None:
    stages = [called(reproduction)["stage"], called(reproduction)["stage"]]
    sagemaker.end("processing")
    stages += [called(reproduction)["stage"], called(reproduction)["stage"]]
    assert stages == ["preprocessing", "preprocessing", "training", "training"]
    assert [operation for operation, _ in sagemaker.requests] == ["CreateProcessingJob", "CreateTrainingJob"]


def test_the_jobs_are_the_recorded_ones_with_results_in_a_folder_of_their_own(
    reproduction: Reproduction, sagemaker: SageMaker, s3: Any
) -> None:
    made(reproduction, sagemaker, s3, FILES)
    (_, preprocess), (_, train) = sagemaker.requests
    for kept in ("RoleArn", "AppSpecification", "ProcessingInputs", "NetworkConfig", "ProcessingResources"):
        assert preprocess[kept] == PREPROCESS[kept]
    for kept in ("RoleArn", "AlgorithmSpecification", "HyperParameters", "ResourceConfig", "EnableNetworkIsolation"):
        assert train[kept] == TRAIN[kept]
    assert "run1" not in json.dumps([preprocess, train]), "it would read or write what the first run made"
    folder = f"{FEATURES}/reproductions/v1-r7"
    outputs = [output["S3Output"]["S3Uri"] for output in preprocess["ProcessingOutputConfig"]["Outputs"]]
    inputs = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in train["InputDataConfig"]]
    assert outputs == [f"{folder}/train", f"{folder}/validation"]
    assert inputs == [*outputs, "s3://assets/code.zip"]


def test_the_same_files_are_byte_equal_however_late_they_were_packed(
    reproduction: Reproduction, sagemaker: SageMaker, s3: Any
) -> None:
    answer = made(reproduction, sagemaker, s3, FILES)
    assert (answer["stage"], answer["equal"]) == ("made", True)
    assert {file["name"] for file in answer["files"]} == set(FILES)


def test_what_differs_is_named(reproduction: Reproduction, sagemaker: SageMaker, s3: Any) -> None:
    answer = made(reproduction, sagemaker, s3, {"model.json": b'{"trees": [1]}', "extra.json": b"{}"})
    differing = {file["name"]: file for file in answer["files"] if file["recorded"] != file["made"]}
    assert not answer["equal"]
    assert set(differing) == {"model.json", "extra.json", "signature.json"}
    assert differing["extra.json"]["recorded"] is None
    assert differing["signature.json"]["made"] is None


def test_the_winner_of_a_tuning_is_made_again(reproduction: Reproduction, sagemaker: SageMaker) -> None:
    arn = f"{ACCOUNT}:hyper-parameter-tuning-job/pipelines-run1-Tune-x"
    sagemaker.made_by(train={"TuningJob": {"Arn": arn}})
    called(reproduction)
    sagemaker.end("processing")
    assert called(reproduction)["stage"] == "training"
    assert sagemaker.requests[-1][1]["HyperParameters"] == TRAIN["HyperParameters"]


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        ({"ProcessingJobStatus": "Failed", "FailureReason": "no disk"}, "preprocessing: no disk"),
        ({"ProcessingJobStatus": "Stopped"}, "preprocessing: the job was stopped"),
    ],
)
def test_a_job_that_failed_ends_the_run(
    reproduction: Reproduction, sagemaker: SageMaker, outcome: dict[str, str], why: str
) -> None:
    called(reproduction)
    sagemaker.end("processing", **outcome)
    answer = called(reproduction)
    assert (answer["stage"], answer["why"]) == ("failed", why)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"version": "1"}, "version must be the number of a version, got '1'"),
        ({"version": True}, "version must be the number of a version, got True"),
        ({"version": 0}, "version must be the number of a version, got 0"),
        ({"run": "../x"}, "run must be 1 to 10 lower-case letters and digits, got '../x'"),
        ({"run": ""}, "run must be 1 to 10 lower-case letters and digits, got ''"),
        ({"version": 9}, "version 9 cannot be made again: baton-dev-bank-churn has no such version"),
    ],
)
def test_a_wrong_event_starts_nothing(
    reproduction: Reproduction, sagemaker: SageMaker, event: dict[str, Any], why: str
) -> None:
    answer = called(reproduction, **event)
    assert (answer["stage"], answer["why"]) == ("refused", why)
    assert not sagemaker.requests


def test_evidence_that_nobody_signed_is_no_measure(reproduction: Reproduction, sagemaker: SageMaker, s3: Any) -> None:
    s3.put_object(Bucket=EVIDENCE, Key=f"bank_churn/run1/{BUNDLE}", Body=b'{"artifact": {"members": {}}}')
    answer = called(reproduction)
    assert answer["stage"] == "refused"
    assert "its bundle of evidence has the hash" in answer["why"]
    assert not sagemaker.requests


@pytest.mark.parametrize(
    ("execution", "why"),
    [
        (f"{ACCOUNT}:pipeline/another/execution/run1", "is no execution of the pipeline baton-dev-bank-churn"),
        ("", "what made it is no execution of the pipeline"),
    ],
)
def test_only_this_pipelines_executions_are_repeated(
    reproduction: Reproduction, sagemaker: SageMaker, execution: str, why: str
) -> None:
    sagemaker.properties["pipeline_execution"] = execution
    answer = called(reproduction)
    assert answer["stage"] == "refused"
    assert why in answer["why"]


def test_a_forgotten_execution_is_told(reproduction: Reproduction, sagemaker: SageMaker) -> None:
    sagemaker.steps = {}
    assert "SageMaker no longer knows" in called(reproduction)["why"]


def test_a_step_without_a_job_is_told(reproduction: Reproduction, sagemaker: SageMaker) -> None:
    sagemaker.made_by(train={})
    answer = called(reproduction)
    assert answer["stage"] == "refused"
    assert "step Train names no TrainingJob" in answer["why"]


def test_files_are_hashed_as_the_bundle_of_evidence_hashes_them(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(archive_of({"model.json": b"{}", "code/inference.py": b"import os\n"}))
    assert file_sha256s(archive.read_bytes()) == members(archive)
