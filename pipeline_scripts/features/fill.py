"""Puts every row of a data set into the model's feature group.

All rows are written, changed or not: an unchanged one gets a new event time, and with it a new lifetime online; what
left the data set expires. A second run over the same data set leaves the online store as it is, for the store keeps the
newest event time, which is the moment that the data set was made.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from botocore.config import Config
from botocore.exceptions import ClientError

from pipeline_scripts.analysis.frames import read_frames
from pipeline_scripts.analysis.job import JobError, folders, run_job
from pipeline_scripts.features.records import Record, record_identifier, records_of
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.training.preprocess import verify

THREADS = 16
CHUNK = 10_000
PATIENCE = Config(
    max_pool_connections=THREADS,
    connect_timeout=10,
    read_timeout=30,
    # Adaptive slows all threads down together when the store throttles, instead of each giving up on its own.
    retries={"mode": "adaptive", "max_attempts": 10},
)
REFUSED = ("ValidationError", "ValidationException")
"""How the store refuses one record; everything else that it answers concerns all of them."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A record that the store did not take, by its row, and why."""

    row: int
    reason: str


def main(argv: Sequence[str]) -> int:
    """`--dataset` in; the group is named by `BATON_FEATURE_GROUP`."""
    paths = folders(argv, "dataset")

    def work() -> str:
        client = boto3.client("sagemaker-featurestore-runtime", config=PATIENCE)
        return fill(paths.dataset, load_model(), client=client, group=os.environ["BATON_FEATURE_GROUP"])

    return run_job(work)


def fill(dataset: Path, model: Model, *, client: Any, group: str) -> str:
    """Verify the data set, put its rows into `group`, and say how many there were.

    Raises:
        JobError: The data set is not the one that was written, or the store refused a record.
    """
    manifest = verify(dataset)
    frame = read_frames(dataset)
    _refuse_shared(frame, record_identifier(model))
    # The first record comes after every row was checked, so a faulty data set leaves no half behind.
    records = records_of(frame, model, event_time=manifest["created_at"], dataset_run=manifest["run_id"])
    refusals: list[Refusal] = []
    for start in range(0, len(frame), CHUNK):
        refused = _put(client, group, list(islice(records, CHUNK)))
        refusals += [Refusal(row=start + row, reason=reason) for row, reason in refused]
    if refusals:
        raise JobError(
            f"{group} refused {len(refusals)} of {len(frame)} records; the first, of row {refusals[0].row}, because: "
            f"{refusals[0].reason}"
        )
    return f"Completed: {len(frame)} records of run {manifest['run_id']} are in {group}."


def _refuse_shared(frame: pd.DataFrame, identifier: str) -> None:
    """Two rows of one person would overwrite each other, and which of them stays would be chance."""
    if identifier not in frame.columns:
        return
    shared = int(frame[identifier].dropna().duplicated(keep=False).sum())
    if shared:
        raise JobError(f"{shared} rows share their {identifier} with another; a person has one record, so make one row")


def _put(client: Any, group: str, records: Sequence[Record]) -> list[tuple[int, str]]:
    """Put the records in parallel; which were refused, by their place, and why."""

    def share(first: int) -> list[tuple[int, str]]:
        places = range(first, len(records), THREADS)
        return [(place, reason) for place in places if (reason := _refusal(client, group, records[place]))]

    with ThreadPoolExecutor(THREADS) as pool:
        return sorted(refusal for refused in pool.map(share, range(THREADS)) for refusal in refused)


def _refusal(client: Any, group: str, record: Record) -> str | None:
    """Put one record; why it was refused, or None.

    Raises:
        JobError: The store would refuse every record: it does not know the group, or the role may not write to it.
    """
    try:
        client.put_record(FeatureGroupName=group, Record=record)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code not in REFUSED:
            raise JobError(f"{group} cannot be filled: {code}: {message}") from error
        return f"{code}: {_without_values(message, record)}"
    return None


def _without_values(message: str, record: Record) -> str:
    """The store's words without the row's: a job's message is read by more people than its data."""
    for value in sorted({item["ValueAsString"] for item in record if item["ValueAsString"]}, key=len, reverse=True):
        message = message.replace(f"'{value}'", "'…'").replace(f'"{value}"', '"…"')
        if len(value) > 3:
            message = message.replace(value, "…")
    return message
