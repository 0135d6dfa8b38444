"""A monitor job is started over exactly the data of its window, or says why not."""

from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import validate_parameters

from pipeline_scripts.functions.start_monitor import Window, read_window, start

NOW = datetime(2026, 3, 1, 10, 25, tzinfo=timezone.utc)
EVENT: dict[str, Any] = {
    "monitor": "data_quality",
    "endpoint_name": "baton-dev-bank-churn",
    "model_package_arn": "arn:aws:sagemaker:eu-west-1:000000000000:model-package/group/3",
    "capture_uri": "s3://monitoring/bank_churn/capture",
    "ground_truth_uri": "s3://monitoring/bank_churn/ground-truth",
    "report_uri": "s3://monitoring/bank_churn/reports/data_quality",
    "window_minutes": 60,
    "needs_labels": False,
    "needs_model": False,
    "job": {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": "arn:aws:iam::000000000000:role/monitor",
        "ProcessingInputs": [],
        "ProcessingOutputConfig": {"Outputs": [], "KmsKeyId": "key"},
        "Environment": {"BATON_SCHEDULE": "baton-dev-bank-churn-data-quality"},
    },
}


class Aws:
    """S3 with objects under some folders, SageMaker that remembers jobs, CloudWatch that remembers metrics."""

    def __init__(self, *folders: str) -> None:
        self.folders = folders
        self.jobs: list[dict[str, Any]] = []
        self.metrics: list[dict[str, Any]] = []
        self.refuse_with: str | None = None

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        assert (Bucket, MaxKeys) == ("monitoring", 1)
        return {"KeyCount": int(any(folder.startswith(Prefix) for folder in self.folders))}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        assert ModelPackageName == EVENT["model_package_arn"]
        return {"InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://models/bank_churn/model.tar.gz"}]}}

    def create_processing_job(self, **request: Any) -> None:
        if self.refuse_with:
            raise ClientError({"Error": {"Code": self.refuse_with, "Message": "no"}}, "CreateProcessingJob")
        shape = Session().get_service_model("sagemaker").operation_model("CreateProcessingJob").input_shape
        validate_parameters(request, shape)
        self.jobs.append(request)

    def put_metric_data(self, **request: Any) -> None:
        self.metrics.append(request)

    def start(self, **changes: Any) -> dict[str, Any]:
        return start({**EVENT, **changes}, s3=self, sagemaker=self, cloudwatch=self, variant="AllTraffic", now=NOW)

    def inputs(self) -> dict[str, str]:
        [job] = self.jobs
        return {entry["S3Input"]["LocalPath"]: entry["S3Input"]["S3Uri"] for entry in job["ProcessingInputs"]}


CAPTURE = "bank_churn/capture/baton-dev-bank-churn/AllTraffic"


def test_the_scheduled_window_is_the_last_full_hour() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/09/a.jsonl", f"{CAPTURE}/2026/03/01/10/b.jsonl")
    answer = aws.start()
    assert answer["started"] is True
    assert aws.inputs() == {
        "/opt/ml/processing/input/capture/2026/03/01/09": f"s3://monitoring/{CAPTURE}/2026/03/01/09/"
    }
    environment = aws.jobs[0]["Environment"]
    assert environment["BATON_WINDOW_START"] == "2026-03-01T09:00:00+00:00"
    assert environment["BATON_WINDOW_END"] == "2026-03-01T10:00:00+00:00"
    assert environment["BATON_SCHEDULE"] == "baton-dev-bank-churn-data-quality"


def test_the_report_lies_under_the_name_of_the_job_and_is_encrypted() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/09/a.jsonl")
    name = aws.start()["processing_job_name"]
    output = aws.jobs[0]["ProcessingOutputConfig"]
    assert output["KmsKeyId"] == "key"
    assert output["Outputs"][0]["S3Output"]["S3Uri"] == f"s3://monitoring/bank_churn/reports/data_quality/{name}"


def test_the_name_of_a_job_fits_the_longest_endpoint() -> None:
    endpoint = "baton-staging-" + "m" * 31
    aws = Aws(f"bank_churn/capture/{endpoint}/AllTraffic/2026/03/01/09/a.jsonl")
    assert len(aws.start(endpoint_name=endpoint)["processing_job_name"]) == 63


def test_a_run_on_demand_takes_its_window_from_the_request() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/10/b.jsonl")
    answer = aws.start(window_start="2026-03-01T10:05:00Z", window_end="2026-03-01T10:20:00Z")
    assert answer["started"] is True
    assert aws.jobs[0]["Environment"]["BATON_WINDOW_START"] == "2026-03-01T10:05:00+00:00"


def test_a_window_without_traffic_is_unknown_and_never_healthy() -> None:
    aws = Aws()
    answer = aws.start()
    assert answer["started"] is False
    assert "nothing was captured" in answer["why"]
    [metric] = aws.metrics
    assert [(data["MetricName"], data["Value"]) for data in metric["MetricData"]] == [("Unknown", 1.0)]


def test_a_monitor_with_labels_is_unknown_until_labels_come() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/09/a.jsonl")
    answer = aws.start(monitor="model_quality", needs_labels=True)
    assert (answer["started"], aws.jobs) == (False, [])
    assert "no label" in answer["why"]


def test_labels_are_read_up_to_now_because_they_come_late() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/09/a.jsonl", "bank_churn/ground-truth/2026/03/01/10/l.jsonl")
    aws.start(monitor="model_quality", needs_labels=True)
    assert "/opt/ml/processing/input/ground-truth/2026/03/01/10" in aws.inputs()


def test_attributions_get_the_artefact_of_the_served_version() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/09/a.jsonl")
    aws.start(monitor="explainability", needs_model=True)
    assert aws.inputs()["/opt/ml/processing/input/model"] == "s3://models/bank_churn/model.tar.gz"


def test_a_repeated_schedule_starts_no_second_job() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/09/a.jsonl")
    aws.refuse_with = "ResourceInUse"
    assert aws.start()["started"] is False


def test_fails_when_sagemaker_refuses_so_that_the_event_is_not_lost() -> None:
    aws = Aws(f"{CAPTURE}/2026/03/01/09/a.jsonl")
    aws.refuse_with = "ResourceLimitExceeded"
    with pytest.raises(ClientError):
        aws.start()


@pytest.mark.parametrize(
    ("hours", "folders"),
    [
        (1, ["2026/03/01/09/"]),
        (3, ["2026/03/01/07/", "2026/03/01/08/", "2026/03/01/09/"]),
        (24, ["2026/02/28/", "2026/03/01/"]),
        (24 * 7, ["2026/02/", "2026/03/"]),
    ],
)
def test_long_windows_mount_coarser_folders(hours: int, folders: list[str]) -> None:
    window = read_window({"window_minutes": hours * 60}, now=NOW)
    assert window.folders() == folders


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"window_start": "2026-03-01T10:00:00Z"}, "needs both"),
        ({"window_start": "2026-03-01T10:00:00Z", "window_end": "2026-03-01T10:00:00Z"}, "must lie before"),
    ],
)
def test_fails_when_the_window_asked_for_makes_no_sense(asked: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_window(asked, now=NOW)


def test_fails_when_the_window_is_longer_than_a_job_can_read() -> None:
    with pytest.raises(ValueError, match="longer than"):
        Window(start=datetime(2020, 1, 1, tzinfo=timezone.utc), end=NOW).folders()
