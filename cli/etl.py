"""The ETL job, and the data set it leaves in the curated zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from cli.errors import BatonError
from cli.stacks import Platform
from cli.storage import read_json
from cli.waiting import wait_for

ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"}


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A version of the model's data set."""

    run_id: str
    uri: str
    hash: str
    rows: int


def start(platform: Platform, *, as_of: date | None = None) -> str:
    """Start the ETL job; returns the run's id.

    Args:
        platform: The platform.
        as_of: The day on which ages are counted; left out, today.
    """
    arguments = {"--as_of": as_of.isoformat()} if as_of else {}
    job = platform.output("ingestion", "GlueJobName")
    return str(platform.client("glue").start_job_run(JobName=job, Arguments=arguments)["JobRunId"])


def wait(
    platform: Platform,
    run_id: str,
    *,
    seconds: float = 3600,
    meanwhile: Callable[[str], None] = lambda state: None,
    every: float = 2.0,
) -> None:
    """Wait until the run has succeeded.

    Raises:
        BatonError: It did not.
    """
    job = platform.output("ingestion", "GlueJobName")
    last: dict[str, Any] = {}

    def state() -> str:
        last.update(platform.client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"])
        return str(last["JobRunState"])

    ended = wait_for(
        state, until=ENDED.__contains__, what=f"job run {run_id}", seconds=seconds, every=every, meanwhile=meanwhile
    )
    if ended != "SUCCEEDED":
        raise BatonError(f"job {job}, run {run_id} ended {ended}: {last.get('ErrorMessage', 'no reason given')}")


def current(platform: Platform) -> Dataset:
    """The data set that training would use now.

    Raises:
        BatonError: The ETL job has not yet written one.
    """
    uri = f"s3://{platform.output('data-lake', 'CuratedBucketName')}/{platform.model}/current.json"
    pointer = read_json(platform.connection, uri)
    if pointer is None:
        raise BatonError(
            f"{platform.model} has no data set yet ({uri} is missing); run: baton etl run --env {platform.environment}"
        )
    return Dataset(
        run_id=pointer["run_id"], uri=pointer["dataset_uri"], hash=pointer["dataset_hash"], rows=int(pointer["rows"])
    )
