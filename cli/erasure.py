"""The right to erasure: asking for one, and its report."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from cli import etl
from cli.errors import BatonError
from cli.stacks import Platform
from cli.storage import read_json


@dataclass(frozen=True, kw_only=True)
class HeldIn:
    """A published version that holds the ordinal of somebody who was erased."""

    run_id: str
    dataset_uri: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What was done. `ordinals` stand for nobody now; none where the vault did not know the person."""

    name: str
    ordinals: dict[str, int]
    held_in: tuple[HeldIn, ...]
    report_uri: str


def ask(platform: Platform, key: str) -> str:
    """Leave a request in the vault, where nobody but the job can read it; returns its name.

    The person's key travels in the request alone: a job's arguments are kept and shown by Glue.
    """
    name = uuid.uuid4().hex
    asked_by = platform.client("sts").get_caller_identity()["Arn"]
    platform.client("s3").put_object(
        Bucket=platform.output("data-lake", "VaultBucketName"),
        Key=f"{platform.model}/erasures/{name}.json",
        Body=json.dumps({"key": key, "asked_by": asked_by}).encode(),
    )
    return name


def carry_out(
    platform: Platform,
    name: str,
    *,
    every: float = 2.0,
    meanwhile: Callable[[etl.Execution], None] = lambda present: None,
) -> Erasure:
    """Let the ETL job, which alone opens the vault, do what a request asks for, and read its report.

    Raises:
        BatonError: The job could not, or it runs already.
    """
    arn = etl.begin(platform, {"cause": "an erasure", "erasure": name})
    try:
        etl.wait(platform, arn, every=every, meanwhile=meanwhile)
    except BatonError as error:
        raise BatonError(f"{error}; to go on: baton erase --request {name}") from error
    return read(platform, name)


def read(platform: Platform, name: str) -> Erasure:
    """The report of an erasure.

    Raises:
        BatonError: There is none.
    """
    uri = f"s3://{platform.output('data-lake', 'EvidenceBucketName')}/{platform.model}/erasures/{name}.json"
    report = read_json(platform.connection, uri)
    if report is None:
        raise BatonError(f"{uri}: there is no report of such an erasure; see baton erase --help")
    return Erasure(
        name=name,
        ordinals=report["ordinals"],
        held_in=tuple(HeldIn(**version) for version in report["held_in"]),
        report_uri=uri,
    )
