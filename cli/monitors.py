"""The four monitors: run one now, and read what they said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.errors import BatonError
from cli.functions import invoke
from cli.stacks import Platform
from cli.storage import listing, read_json
from cli.waiting import wait_for

SCHEDULE_OUTPUTS = {
    "data_quality": "DataQualityScheduleName",
    "model_quality": "ModelQualityScheduleName",
    "bias": "BiasScheduleName",
    "explainability": "ExplainabilityScheduleName",
}
ENDED = {"Completed", "Failed", "Stopped"}


@dataclass(frozen=True, kw_only=True)
class MonitorResult:
    """What one run of a monitor found."""

    monitor: str
    job: str
    status: str
    message: str
    report_uri: str
    ended: datetime | None
    violations: tuple[dict[str, Any], ...]

    @property
    def answered(self) -> bool:
        """Whether the run could judge; too few rows or labels, and it says so rather than `healthy`."""
        return self.status == "Completed" and not self.message.startswith("CompletedWithoutAnswer")


def start(platform: Platform, monitor: str, *, window_start: datetime, window_end: datetime) -> str:
    """Start one monitor over a window of captured traffic; returns the job's name.

    Raises:
        BatonError: There is no such monitor now, or it declined, and says why.
    """
    if monitor not in SCHEDULE_OUTPUTS:
        raise BatonError(f"there is no monitor {monitor!r}; choose one of {', '.join(SCHEDULE_OUTPUTS)}")
    schedule = platform.optional("serving", SCHEDULE_OUTPUTS[monitor])
    if schedule is None:
        raise BatonError(
            f"{platform.model} has no {monitor} schedule in {platform.environment}: "
            "no version is served, or AWS runs the monitors itself"
        )
    event = {
        **_scheduled_event(platform, schedule),
        "window_start": window_start.isoformat(),
        "window_end": window_end.isoformat(),
    }
    answer = invoke(platform, platform.output("monitoring", "StartMonitorFunctionName"), event)
    if not answer.get("started"):
        raise BatonError(f"monitor {monitor} was not started: {answer.get('why', 'no reason given')}")
    return str(answer["processing_job_name"])


def _scheduled_event(platform: Platform, name: str) -> dict[str, Any]:
    """What a schedule sends. Its group is looked for: the stack's output holds the name alone."""
    scheduler = platform.client("scheduler")
    pages = scheduler.get_paginator("list_schedules").paginate(NamePrefix=name)
    groups = [found["GroupName"] for page in pages for found in page["Schedules"] if found["Name"] == name]
    if not groups:
        raise BatonError(f"schedule {name} is gone; deploy it again: make deploy ENV={platform.environment}")
    described = scheduler.get_schedule(Name=name, GroupName=groups[0])
    event: dict[str, Any] = json.loads(described["Target"]["Input"])
    return event


def wait(platform: Platform, monitor: str, job: str, *, seconds: float = 3600, every: float = 1.0) -> MonitorResult:
    """Wait for a monitor's job and read its report.

    Raises:
        BatonError: The job failed.
    """
    described = wait_for(
        lambda: platform.client("sagemaker").describe_processing_job(ProcessingJobName=job),
        until=lambda answer: answer["ProcessingJobStatus"] in ENDED,
        what=f"processing job {job}",
        seconds=seconds,
        every=every,
    )
    if described["ProcessingJobStatus"] != "Completed":
        why = described.get("FailureReason") or described.get("ExitMessage") or "no reason given"
        raise BatonError(f"monitor {monitor}, job {job} ended {described['ProcessingJobStatus']}: {why}")
    return _result(platform, monitor, described)


def latest(platform: Platform, monitor: str) -> MonitorResult | None:
    """What a monitor said last; None when it never ran."""
    reports = f"s3://{platform.output('data-lake', 'MonitoringBucketName')}/{platform.model}/reports/{monitor}/"
    found = [entry for entry in listing(platform.connection, reports) if entry.name == "constraint_violations.json"]
    if not found:
        return None
    newest = max(found, key=lambda entry: entry.modified)
    job = newest.uri.split("/")[-2]
    return _result(platform, monitor, platform.client("sagemaker").describe_processing_job(ProcessingJobName=job))


def subject(violation: Mapping[str, Any]) -> str:
    """What a violation is about: a feature, a metric, or a metric of a group."""
    if "facet" in violation:
        return f"{violation.get('metric_name', '')} of {violation['facet']} = {violation['facet_value']}"
    return str(violation.get("feature_name") or violation.get("metric_name") or "")


def _result(platform: Platform, monitor: str, described: dict[str, Any]) -> MonitorResult:
    report_uri = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/")
    report = read_json(platform.connection, f"{report_uri}/constraint_violations.json")
    return MonitorResult(
        monitor=monitor,
        job=described["ProcessingJobName"],
        status=described["ProcessingJobStatus"],
        message=described.get("ExitMessage", ""),
        report_uri=report_uri,
        ended=described.get("ProcessingEndTime"),
        violations=tuple((report or {}).get("violations", [])),
    )
