"""Starts one monitor's processing job over what the endpoint captured in one window."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlparse

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import S3_URI, TEXT, objects, takes
from pipeline_scripts.functions.monitor_answer import publish_answer

logger = Logger(service="start_monitor")

INPUT_FOLDER = "/opt/ml/processing/input"
OUTPUT_FOLDER = "/opt/ml/processing/output"

CODES = {"data_quality": "dq", "model_quality": "mq", "bias": "bd", "explainability": "fa"}
"""Job names hold 63 characters, of which an endpoint's name may take 45 and the window's end 14."""

FOLDERS = 3
"""How many folders of each kind one job mounts: of its ten inputs, code, wheels, baseline and model take four."""

GRAINS = ("%Y/%m/%d/%H/", "%Y/%m/%d/", "%Y/%m/", "%Y/")
"""The folders that SageMaker files captured data in; the coarser ones hold more than the window, which the job cuts."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """From `start`, inclusive, to `end`, exclusive; both UTC."""

    start: datetime
    end: datetime

    def folders(self) -> list[str]:
        """The fewest, finest folders that cover the window and can all be mounted."""
        hours = list(_hours(self.start, self.end))
        for grain in GRAINS:
            folders = list(dict.fromkeys(hour.strftime(grain) for hour in hours))
            if len(folders) <= FOLDERS:
                return folders
        raise ValueError(
            f"a window from {self.start} to {self.end} is longer than the {FOLDERS} years that one job can read"
        )


YES_OR_NO = {"type": "boolean"}
EVENT_SCHEMA = objects(
    {
        "monitor": {"enum": sorted(CODES)},
        "endpoint_name": TEXT,
        "model_package_arn": TEXT,
        "capture_uri": S3_URI,
        "ground_truth_uri": S3_URI,
        "report_uri": S3_URI,
        "window_minutes": {"type": "integer", "minimum": 1},
        "needs_labels": YES_OR_NO,
        "needs_model": YES_OR_NO,
        "job": objects(
            {
                "ProcessingInputs": {"type": "array"},
                "ProcessingOutputConfig": {"type": "object"},
                "Environment": {"type": "object"},
            }
        ),
    },
    {"window_start": TEXT, "window_end": TEXT},
)


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start `event["job"]`, or say why not. `window_start` and `window_end` ask for a run on demand."""
    answer = start(
        event,
        s3=boto3.client("s3"),
        sagemaker=boto3.client("sagemaker"),
        cloudwatch=boto3.client("cloudwatch"),
        variant=os.environ["VARIANT_NAME"],
        now=datetime.now(timezone.utc),
    )
    logger.info("monitor", extra={"monitor": event["monitor"], **answer})
    return answer


def start(
    event: dict[str, Any], *, s3: Any, sagemaker: Any, cloudwatch: Any, variant: str, now: datetime
) -> dict[str, Any]:
    """Complete the job's skeleton with the window's data and start it.

    Args:
        event: What the schedule carries; see `baton.monitoring.open_schedules`.
        s3: Lists what was captured.
        sagemaker: Reads the version's artefact and starts the job.
        cloudwatch: Told when there is nothing to look at, so that silence is not taken for health.
        variant: The endpoint's variant.
        now: The end of a scheduled window, cut to the hour.
    """
    window = read_window(event, now=now)
    captured = f"{event['capture_uri']}/{event['endpoint_name']}/{variant}"
    inputs = _existing(s3, captured, window, name="capture")
    labels: list[dict[str, Any]] = []
    if not inputs:
        return _unanswered(cloudwatch, event, f"nothing was captured from {window.start} to {window.end}")
    if event["needs_labels"]:
        labels = _existing(
            s3, event["ground_truth_uri"], Window(start=window.start, end=max(window.end, now)), name="ground-truth"
        )
        if not labels:
            return _unanswered(cloudwatch, event, f"no label has come since {window.start}")
    model = [_model(sagemaker, event["model_package_arn"])] if event["needs_model"] else []
    request = _request(event, window=window, inputs=[*inputs, *labels, *model])
    try:
        sagemaker.create_processing_job(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceInUse", "ResourceInUseException"):
            raise
        why = "this window's job had already been started"
        return {"started": False, "processing_job_name": request["ProcessingJobName"], "why": why}
    why = f"looks at {window.start.isoformat()} to {window.end.isoformat()}"
    return {"started": True, "processing_job_name": request["ProcessingJobName"], "why": why}


def read_window(event: dict[str, Any], *, now: datetime) -> Window:
    """The window asked for, or the last `window_minutes` up to the full hour.

    Raises:
        ValueError: Only one end is given, or the window is empty.
    """
    asked = event.get("window_start"), event.get("window_end")
    if asked == (None, None):
        end = now.replace(minute=0, second=0, microsecond=0)
        return Window(start=end - timedelta(minutes=event["window_minutes"]), end=end)
    if None in asked:
        raise ValueError("a run on demand needs both window_start and window_end")
    start, end = (_utc(str(moment)) for moment in asked)
    if start >= end:
        raise ValueError(f"window_start must lie before window_end, got {start} and {end}")
    return Window(start=start, end=end)


def _request(event: dict[str, Any], *, window: Window, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    job = event["job"]
    name = f"{event['endpoint_name']}-{CODES[event['monitor']]}-{window.end:%Y%m%d%H%M%S}"
    report = _mount(
        "report",
        {"S3Uri": f"{event['report_uri']}/{name}", "LocalPath": OUTPUT_FOLDER, "S3UploadMode": "EndOfJob"},
        kind="S3Output",
    )
    return {
        **job,
        "ProcessingJobName": name,
        "ProcessingInputs": [*job["ProcessingInputs"], *inputs],
        "ProcessingOutputConfig": {**job["ProcessingOutputConfig"], "Outputs": [report]},
        "Environment": {
            **job["Environment"],
            "BATON_WINDOW_START": window.start.isoformat(),
            "BATON_WINDOW_END": window.end.isoformat(),
        },
    }


def _existing(s3: Any, uri: str, window: Window, *, name: str) -> list[dict[str, Any]]:
    """An input for each folder of the window that holds anything: an empty one would fail the job."""
    parts = urlparse(uri)
    prefix = parts.path.strip("/")
    return [
        _input(f"{name}-{number}", f"{uri}/{folder}", f"{name}/{folder}".rstrip("/"))
        for number, folder in enumerate(window.folders(), start=1)
        if s3.list_objects_v2(Bucket=parts.netloc, Prefix=f"{prefix}/{folder}", MaxKeys=1).get("KeyCount")
    ]


def _model(sagemaker: Any, package_arn: str) -> dict[str, Any]:
    [container] = sagemaker.describe_model_package(ModelPackageName=package_arn)["InferenceSpecification"]["Containers"]
    return _input("model", container["ModelDataUrl"], "model")


def _input(name: str, uri: str, folder: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": f"{INPUT_FOLDER}/{folder}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return _mount(name, source, kind="S3Input")


def _mount(name: str, where: dict[str, str], *, kind: str) -> dict[str, Any]:
    return {"InputName" if kind == "S3Input" else "OutputName": name, kind: where}


def _unanswered(cloudwatch: Any, event: dict[str, Any], why: str) -> dict[str, Any]:
    publish_answer(cloudwatch, endpoint_name=event["endpoint_name"], monitor=event["monitor"], violations=None)
    return {"started": False, "why": why}


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        yield hour
        hour += timedelta(hours=1)


def _utc(moment: str) -> datetime:
    parsed = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return parsed.replace(tzinfo=timezone.utc) if parsed.tzinfo is None else parsed.astimezone(timezone.utc)
