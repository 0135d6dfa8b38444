"""What a monitor found becomes the same metrics, whichever backend ran it."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline_scripts.functions.publish_monitor import publish

ENDPOINT = "baton-dev-bank-churn"
REPORT = "bank_churn/reports/bias/job-1"
VIOLATION = {"feature_name": "age", "constraint_check_type": "baseline_drift_check", "description": "far"}


class Aws:
    """One finished job, its report, and CloudWatch that remembers."""

    def __init__(self, *, monitor: str = "bias", managed: bool = False, **job: Any) -> None:
        schedule = f"{ENDPOINT}-{monitor}"
        arn = f"arn:aws:sagemaker:eu-west-1:000000000000:monitoring-schedule/{schedule}"
        self.job = {
            "ProcessingJobStatus": "Completed",
            "ExitMessage": "Completed: Job completed successfully with no violations.",
            "ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": f"s3://monitoring/{REPORT}"}}]},
            **({"MonitoringScheduleArn": arn} if managed else {"Environment": {"BATON_SCHEDULE": schedule}}),
            **job,
        }
        self.objects: dict[str, str] = {}
        self.metrics: list[dict[str, Any]] = []

    def describe_processing_job(self, *, ProcessingJobName: str) -> dict[str, Any]:
        return self.job

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key].encode())}

    def put_metric_data(self, **request: Any) -> None:
        self.metrics.append(request)

    def report(self, *violations: dict[str, str], lines: list[dict[str, Any]] | None = None) -> "Aws":
        self.objects[f"{REPORT}/constraint_violations.json"] = json.dumps({"violations": list(violations)})
        if lines:
            self.objects[f"{REPORT}/cloudwatch_metrics.jsonl"] = "\n".join(json.dumps(line) for line in lines)
        return self

    def publish(self) -> dict[str, Any]:
        return publish("job-1", s3=self, sagemaker=self, cloudwatch=self, endpoint_name=ENDPOINT)

    def answers(self) -> dict[str, float]:
        [request] = [request for request in self.metrics if request["Namespace"] == "Baton/Monitoring"]
        for data in request["MetricData"]:
            assert {d["Name"]: d["Value"] for d in data["Dimensions"]} == {"Endpoint": ENDPOINT, "Monitor": "bias"}
        return {data["MetricName"]: data["Value"] for data in request["MetricData"]}


@pytest.mark.parametrize("managed", [True, False])
def test_violations_are_counted_in_both_backends(managed: bool) -> None:
    aws = Aws(managed=managed, ExitMessage="CompletedWithViolations: 2 violations").report(VIOLATION, VIOLATION)
    assert aws.publish()["violations"] == 2
    assert aws.answers() == {"Unknown": 0.0, "Violations": 2.0}


def test_no_violation_is_a_zero_that_ends_an_alarm() -> None:
    aws = Aws().report()
    aws.publish()
    assert aws.answers() == {"Unknown": 0.0, "Violations": 0.0}


def test_model_monitor_leaves_the_file_out_when_it_found_nothing() -> None:
    aws = Aws(managed=True)
    aws.publish()
    assert aws.answers()["Violations"] == 0.0


@pytest.mark.parametrize(
    "job",
    [
        {"ProcessingJobStatus": "Failed", "ExitMessage": ""},
        {"ProcessingJobStatus": "Stopped"},
        {"ExitMessage": "CompletedWithoutAnswer: 12 rows, 200 are needed"},
        {"ExitMessage": "CompletedWithViolations: but no file"},
    ],
)
def test_a_run_without_an_answer_is_unknown_and_publishes_no_violations(job: dict[str, Any]) -> None:
    aws = Aws(**job)
    if job.get("ExitMessage", "").startswith("CompletedWithoutAnswer"):
        aws.report()
    aws.publish()
    assert aws.answers() == {"Unknown": 1.0}


def test_the_open_backend_publishes_the_metrics_of_its_report_in_batches() -> None:
    line = {
        "Namespace": "/aws/sagemaker/Endpoints/data-metric",
        "MetricName": "feature_data_age",
        "Dimensions": [{"Name": "Endpoint", "Value": ENDPOINT}],
        "Value": 0.2,
        "Timestamp": "2026-03-01T10:00:00Z",
    }
    aws = Aws().report(lines=[line] * 501)
    aws.publish()
    details = [request for request in aws.metrics if request["Namespace"].startswith("/aws")]
    assert [len(request["MetricData"]) for request in details] == [500, 1]
    assert details[0]["MetricData"][0]["Timestamp"].year == 2026
    assert "Namespace" not in details[0]["MetricData"][0]


def test_a_managed_monitor_has_published_its_details_itself() -> None:
    aws = Aws(managed=True).report(lines=[{"Namespace": "x", "MetricName": "y", "Value": 1, "Timestamp": 0}])
    aws.publish()
    assert [request["Namespace"] for request in aws.metrics] == ["Baton/Monitoring"]


@pytest.mark.parametrize("monitor", ["churn-bias", "", "something"])
def test_a_job_of_another_endpoint_is_left_alone(monitor: str) -> None:
    aws = Aws(monitor=monitor)
    assert aws.publish()["published"] is False
    assert aws.metrics == []


def test_a_job_that_is_still_running_is_left_alone() -> None:
    aws = Aws(ProcessingJobStatus="InProgress")
    assert aws.publish()["published"] is False
    assert aws.metrics == []
