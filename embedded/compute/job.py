"""What every kind of job shares: how it is called, how it ends, and how it says no."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ClientFactory = Callable[[str], Any]
"""Gives the boto3 client of a service, bound to the front door."""

Environment = Mapping[str, str]

REASON_LENGTH = 1024
"""The longest FailureReason and ExitMessage that SageMaker keeps."""


class JobRefused(Exception):
    """A job cannot run here; the message is its FailureReason, worded as SageMaker words it."""


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """How a processing or training job ended, in the words of Describe*Job.

    Attributes:
        status: `Completed`, `Failed` or `Stopped`.
        secondary_status: A training job's SecondaryStatus; for a processing job the same as the status.
        failure_reason: Set exactly when the job failed.
        exit_message: What the container left in `/opt/ml/output/message`.
        exit_code: None when the container never started.
        log_path: The container's output, line by line.
        started: When the container's inputs began to load.
        ended: When its outputs lay in S3.
        model_artifacts: URI of a training job's model.tar.gz.
        final_metrics: A training job's FinalMetricDataList.
    """

    status: str
    secondary_status: str
    failure_reason: str | None
    exit_message: str | None
    exit_code: int | None
    log_path: Path
    started: datetime
    ended: datetime
    model_artifacts: str | None = None
    final_metrics: tuple[dict[str, Any], ...] = ()


def now() -> datetime:
    """The time, with its zone, as the API reports it."""
    return datetime.now(tz=UTC)


def only(request: Mapping[str, Any], key: str, allowed: str | int, *, default: str | int, where: str) -> None:
    """Refuse any other value of a setting than the one that is honoured here.

    Raises:
        JobRefused: The request asks for something else.
    """
    value = request.get(key, default)
    if value != allowed:
        raise JobRefused(f"ClientError: {where}: embedded AWS runs {key} {allowed!r} only, not {value!r}")


def absent(request: Mapping[str, Any], *keys: str, where: str) -> None:
    """Refuse settings that would silently have no effect here.

    Raises:
        JobRefused: The request uses one of them.
    """
    for key in keys:
        if request.get(key):
            raise JobRefused(f"ClientError: {where}: embedded AWS does not run {key}; remove it")
