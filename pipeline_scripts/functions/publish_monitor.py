"""Turns a monitor job's end into metrics, whichever backend ran it."""

import json
import os
from datetime import datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import objects, takes
from pipeline_scripts.functions.monitor_answer import publish_answer
from pipeline_scripts.functions.s3_place import read

logger = Logger(service="publish_monitor")

MONITORS = {
    "data-quality": "data_quality",
    "model-quality": "model_quality",
    "bias": "bias",
    "explainability": "explainability",
}
"""A schedule is named after its endpoint and one of these, in both backends."""

BATCH = 500
"""Metrics in one call; CloudWatch accepts a thousand."""


JOB_NAME = {"type": "string", "pattern": "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$"}
EVENT_SCHEMA = objects({"detail": objects({"ProcessingJobName": JOB_NAME})})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the answer of the job that the event names."""
    answer = publish(
        event["detail"]["ProcessingJobName"],
        s3=boto3.client("s3"),
        sagemaker=boto3.client("sagemaker"),
        cloudwatch=boto3.client("cloudwatch"),
        endpoint_name=os.environ["ENDPOINT_NAME"],
    )
    logger.info("published", extra=answer)
    return answer


def publish(job_name: str, *, s3: Any, sagemaker: Any, cloudwatch: Any, endpoint_name: str) -> dict[str, Any]:
    """Read a finished job's report and publish its violations, or that it has no answer.

    The event is only a hint: what counts is the job as SageMaker describes it.
    """
    job = sagemaker.describe_processing_job(ProcessingJobName=job_name)
    monitor = _monitor(job, endpoint_name=endpoint_name)
    if monitor is None:
        return {"published": False, "why": f"{job_name} is no monitor of {endpoint_name}"}
    if job["ProcessingJobStatus"] not in ("Completed", "Failed", "Stopped"):
        return {"published": False, "why": f"{job_name} is still {job['ProcessingJobStatus']}"}
    [output] = job["ProcessingOutputConfig"]["Outputs"]
    report_uri = output["S3Output"]["S3Uri"]
    violations = _violations(s3, job, report_uri)
    publish_answer(cloudwatch, endpoint_name=endpoint_name, monitor=monitor, violations=violations)
    if "MonitoringScheduleArn" not in job:  # a managed monitor's container publishes these itself
        _publish_details(cloudwatch, _read(s3, f"{report_uri}/cloudwatch_metrics.jsonl"))
    return {"published": True, "monitor": monitor, "violations": violations}


def _monitor(job: dict[str, Any], *, endpoint_name: str) -> str | None:
    """Which monitor's job this is, by the name of its schedule."""
    schedule_arn = job.get("MonitoringScheduleArn", "")
    schedule = schedule_arn.rpartition("/")[2] or job.get("Environment", {}).get("BATON_SCHEDULE", "")
    return MONITORS.get(schedule.removeprefix(f"{endpoint_name}-")) if schedule.startswith(endpoint_name) else None


def _violations(s3: Any, job: dict[str, Any], report_uri: str) -> int | None:
    """How many violations the report lists; None when the job failed or could not tell."""
    message = job.get("ExitMessage", "")
    if job["ProcessingJobStatus"] != "Completed" or message.startswith("CompletedWithoutAnswer"):
        return None
    report = _read(s3, f"{report_uri}/constraint_violations.json")
    if report is None:
        return (
            0 if message.startswith("Completed:") else None
        )  # Model Monitor leaves the file out when there is nothing in it
    return len(json.loads(report)["violations"])


def _publish_details(cloudwatch: Any, lines: str | None) -> None:
    by_namespace: dict[str, list[dict[str, Any]]] = {}
    for line in (lines or "").splitlines():
        metric = json.loads(line)
        namespace = metric.pop("Namespace")
        moment = metric.pop("Timestamp")
        timestamp = moment if isinstance(moment, int | float) else datetime.fromisoformat(moment.replace("Z", "+00:00"))
        by_namespace.setdefault(namespace, []).append({**metric, "Timestamp": timestamp})
    for namespace, metrics in by_namespace.items():
        for first in range(0, len(metrics), BATCH):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=metrics[first : first + BATCH])


def _read(s3: Any, uri: str) -> str | None:
    content = read(s3, uri)
    return None if content is None else content.decode()
