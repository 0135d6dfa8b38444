"""A part of the malformed input that `python -m benchmarks.malformed_input` tries in full."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from pyspark.sql import SparkSession

from benchmarks.malformed_cases import csv_rows, files, json_rows
from benchmarks.malformed_input import BUCKET, Landing, Outcomes, try_configurations, try_files, try_rows


@pytest.fixture
def landing(spark: SparkSession, tmp_path: Path) -> Iterator[Landing]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield Landing(spark=spark, client=client, folder=tmp_path)


def test_every_malformed_row_gets_a_reason(landing: Landing) -> None:
    outcomes = Outcomes()
    try_rows(landing, outcomes, {"csv": list(csv_rows()), "json": list(json_rows())})
    assert outcomes.unhandled == []
    assert outcomes.counts.total() > 500


def test_every_tenth_malformed_file_is_refused_or_set_aside(landing: Landing) -> None:
    outcomes = Outcomes()
    try_files(landing, outcomes, list(files())[::10])
    assert outcomes.unhandled == []


def test_every_third_malformed_configuration_is_refused(tmp_path: Path) -> None:
    outcomes = Outcomes()
    try_configurations(outcomes, tmp_path, every=3)
    assert outcomes.unhandled == []
    assert outcomes.counts.total() > 100
