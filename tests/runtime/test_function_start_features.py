"""The current data set is put into the feature group once, and again only where that failed."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import validate_parameters

from pipeline_scripts.functions.dataset_pointer import DatasetError
from pipeline_scripts.functions.start_features import ATTEMPTS, Filling, job_name, start

POINTER = {"run_id": "20261124T021000Z-0badcafe", "dataset_uri": "s3://curated/bank_churn/runs/r1/"}
JOB = {
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": "arn:aws:iam::000000000000:role/fill",
    "ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": "s3://assets/code.zip", "S3DataType": "S3Prefix"}}],
}
FILLING = Filling(
    model="bank_churn",
    bucket="curated",
    group="baton-dev-bank-churn",
    name_prefix="baton-dev-bank-churn-fs-",
    job=JOB,
)


class S3:
    """A bucket with one object, or none."""

    class exceptions:
        class NoSuchKey(Exception):
            """As botocore names it."""

    def __init__(self, content: str | None) -> None:
        self.content = content

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("curated", "bank_churn/current.json")
        if self.content is None:
            raise self.exceptions.NoSuchKey
        return {"Body": io.BytesIO(self.content.encode())}


class SageMaker:
    """Remembers jobs, and refuses a name that is taken."""

    def __init__(self, **statuses: str) -> None:
        self.statuses = {name.replace("_", "-"): status for name, status in statuses.items()}
        self.requests: list[dict[str, Any]] = []
        self.refuse_with: str | None = None

    def create_processing_job(self, **request: Any) -> None:
        shape = Session().get_service_model("sagemaker").operation_model("CreateProcessingJob").input_shape
        validate_parameters(request, shape)
        name = request["ProcessingJobName"]
        if self.refuse_with or name in self.statuses:
            code = self.refuse_with or "ResourceInUse"
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "CreateProcessingJob")
        self.statuses[name] = "InProgress"
        self.requests.append(request)

    def describe_processing_job(self, *, ProcessingJobName: str) -> dict[str, Any]:
        return {"ProcessingJobStatus": self.statuses[ProcessingJobName]}


def test_the_job_reads_the_current_data_set_under_a_name_made_of_its_run() -> None:
    sagemaker = SageMaker()
    answer = start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker)
    [request] = sagemaker.requests
    assert answer == {"job_name": request["ProcessingJobName"], "dataset_run": POINTER["run_id"]}
    assert [entry["InputName"] for entry in request["ProcessingInputs"]] == ["code", "dataset"]
    assert request["ProcessingInputs"][1]["S3Input"]["S3Uri"] == POINTER["dataset_uri"]
    assert request["ProcessingInputs"][1]["S3Input"]["LocalPath"] == "/opt/ml/processing/input/dataset"


@pytest.mark.parametrize("status", ["InProgress", "Completed"])
def test_a_data_set_that_is_being_put_or_was_is_not_put_again(status: str) -> None:
    sagemaker = SageMaker()
    first = start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker)
    sagemaker.statuses[first["job_name"]] = status
    assert start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker) == first
    assert len(sagemaker.requests) == 1


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_failed_is_followed_by_another(status: str) -> None:
    sagemaker = SageMaker()
    first = start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker)
    sagemaker.statuses[first["job_name"]] = status
    second = start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker)
    assert second["job_name"] == f"{first['job_name']}-2"
    assert start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker) == second


def test_failing_for_ever_ends_in_an_error_that_says_so() -> None:
    base = job_name(FILLING, POINTER["run_id"])
    names = [base, *(f"{base}-{attempt}" for attempt in range(2, ATTEMPTS + 1))]
    sagemaker = SageMaker(**dict.fromkeys(names, "Failed"))
    with pytest.raises(RuntimeError, match="have failed to fill baton-dev-bank-churn"):
        start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker)


def test_another_run_and_another_group_have_jobs_of_their_own_whose_names_sagemaker_takes() -> None:
    longest = Filling(model="m" * 31, bucket="b", group="g", name_prefix=f"baton-staging-{'m' * 31}-fs-", job=JOB)
    other = Filling(**{**vars(FILLING), "group": "baton-dev-bank-churn-v2"})
    names = {job_name(FILLING, "r1"), job_name(FILLING, "r2"), job_name(other, "r1"), job_name(longest, "r1")}
    assert len(names) == 4
    assert max(len(f"{name}-{ATTEMPTS}") for name in names) <= 63


def test_without_a_data_set_there_is_nothing_to_put() -> None:
    with pytest.raises(DatasetError, match="run the ingestion of bank_churn first"):
        start(FILLING, s3=S3(None), sagemaker=SageMaker())
    with pytest.raises(DatasetError, match="names no data set"):
        start(FILLING, s3=S3('{"rows": 1}'), sagemaker=SageMaker())


def test_a_refusal_of_sagemakers_is_not_swallowed() -> None:
    sagemaker = SageMaker()
    sagemaker.refuse_with = "ResourceLimitExceeded"
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        start(FILLING, s3=S3(json.dumps(POINTER)), sagemaker=sagemaker)
