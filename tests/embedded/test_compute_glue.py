"""Glue jobs run for real as processes; one of them on Spark."""

import functools
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from embedded.compute.glue import GlueResult, GlueRun, error_of
from embedded.source.database import EmbeddedDatabase

AWS = {"AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded", "AWS_DEFAULT_REGION": "eu-west-1"}


@functools.cache
def client(service: str) -> Any:
    keys = {"aws_access_key_id": "embedded", "aws_secret_access_key": "embedded"}
    return boto3.client(service, region_name="eu-west-1", **keys)  # type: ignore[call-overload]


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        service = client("s3")
        service.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        library = io.BytesIO()
        with zipfile.ZipFile(library, "w") as archive:
            archive.writestr("shipped.py", "WORD = 'from the zip'")
        service.put_object(Bucket="code", Key="lib/shipped.zip", Body=library.getvalue())
        yield service


def run(s3: Any, folder: Path, script: str, arguments: dict[str, str] | None = None, **changes: Any) -> GlueResult:
    s3.put_object(Bucket="code", Key="job.py", Body=script.encode())
    job = {
        "Name": "etl",
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://code/job.py"},
        "GlueVersion": "5.0",
        "DefaultArguments": {"--extra-py-files": "s3://code/lib/shipped.zip", "--size": "1", "--colour": "blue"},
        **changes,
    }
    return GlueRun(
        job=job, run_id="jr_1", arguments=arguments or {}, client=client, workdir=folder, environment=AWS
    ).execute()


def test_arguments_and_libraries_arrive_as_glue_passes_them(s3: Any, tmp_path: Path) -> None:
    script = "import json, sys, shipped; print(json.dumps([shipped.WORD, sys.argv[1:]]))"
    result = run(s3, tmp_path, script, {"--size": "2"})
    assert (result.state, result.error_message, result.exit_code) == ("SUCCEEDED", None, 0)
    word, argv = json.loads(result.log_path.read_text())
    given = dict(zip(argv[::2], argv[1::2], strict=True))
    assert word == "from the zip"
    assert (given["--size"], given["--colour"]) == ("2", "blue")
    assert (given["--JOB_NAME"], given["--JOB_RUN_ID"]) == ("etl", "jr_1")
    logs = client("logs").get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName="jr_1")["events"]
    assert "from the zip" in logs[0]["message"]


def test_every_one_of_several_libraries_is_on_the_path(s3: Any, tmp_path: Path) -> None:
    second = io.BytesIO()
    with zipfile.ZipFile(second, "w") as archive:
        archive.writestr("other.py", "WORD = 'from the other'")
    s3.put_object(Bucket="code", Key="lib/other.zip", Body=second.getvalue())
    both = {"--extra-py-files": "s3://code/lib/shipped.zip,s3://code/lib/other.zip"}
    result = run(s3, tmp_path, "import shipped, other; print(shipped.WORD, other.WORD)", both)
    assert result.state == "SUCCEEDED", result.error_message
    assert "from the zip from the other" in result.log_path.read_text()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise ValueError('no such column: AGE')", "ValueError: no such column: AGE"),
        ("import sys; sys.exit('the source is empty')", "SystemExit: the source is empty"),
        ("import sys; sys.exit(4)", "SystemExit: 4"),
    ],
)
def test_why_a_script_failed_is_told(s3: Any, tmp_path: Path, script: str, message: str) -> None:
    result = run(s3, tmp_path, script)
    assert (result.state, result.error_message) == ("FAILED", message)


def test_sparks_own_log_is_not_taken_for_the_reason() -> None:
    lines = ["the source is empty", "26/01/01 10:00:00 WARN Utils: bye", "  at org.apache", ""]
    assert error_of(lines, exit_code=1) == "SystemExit: the source is empty"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"Command": {"Name": "pythonshell", "ScriptLocation": "s3://code/job.py"}}, "glueetl"),
        ({"GlueVersion": "3.0"}, "Glue 5"),
        ({"DefaultArguments": {"--extra-jars": "s3://code/x.jar"}}, "--extra-jars"),
        ({"Command": {"Name": "glueetl", "ScriptLocation": "s3://code/none.py"}}, "No S3 objects found"),
    ],
)
def test_what_is_not_run_here_is_refused(s3: Any, tmp_path: Path, changes: dict[str, Any], word: str) -> None:
    result = run(s3, tmp_path, "", **changes)
    assert result.state == "FAILED"
    assert word in str(result.error_message)


def test_spark_reads_the_embedded_source(s3: Any, tmp_path: Path) -> None:
    database = EmbeddedDatabase(tmp_path / "bank", user="baton", password="secret")
    database.write("Customers", [{"CustomerId": 1, "Name": "Ann"}, {"CustomerId": 2, "Name": None}])
    script = f"""
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
options = {{"url": {database.jdbc_url!r}, "driver": {database.driver!r}, "user": "baton", "password": "secret"}}
frame = spark.read.format("jdbc").options(**options).option("dbtable", '"Customers"').load()
print("rows", sorted((row.CustomerId, row.Name) for row in frame.collect()), spark.version[:3])
"""
    result = run(s3, tmp_path / "job", script)
    assert result.state == "SUCCEEDED", result.error_message
    assert "rows [(1, 'Ann'), (2, None)] 3.5" in result.log_path.read_text()
