"""The ETL job on this machine: Spark, a lake in the memory of this process, and a model over a wide table."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from pyspark.sql import SparkSession

from baton.specification.columns import Column
from benchmarks.measurement import ROOT
from benchmarks.spark import local_spark
from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.job import SPARK_SETTINGS
from pipeline_scripts.etl.sources.open import Clients
from pipeline_scripts.model import Model, parse_model
from stacks.settings import load_models
from tests.runtime.etl.workbench import COLUMNS, Database, Job, model_of

DRIVER_MEMORY = "6g"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a measurement works with."""

    spark: SparkSession
    clients: Clients
    arguments: Arguments
    folder: Path


@contextmanager
def etl_bench() -> Iterator[Bench]:
    """Two cores of Spark, and S3 in memory with the buckets of a lake."""
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        os.environ |= {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "PYSPARK_SUBMIT_ARGS": f"--driver-memory {DRIVER_MEMORY} pyspark-shell",
        }
        spark = _spark(Path(folder))
        try:
            with mock_aws():
                yield _bench(spark, Path(folder))
        finally:
            spark.stop()


def _spark(folder: Path) -> SparkSession:
    settings = {
        **SPARK_SETTINGS,
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder}",
    }
    spark = local_spark(folder, settings)
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _bench(spark: SparkSession, folder: Path) -> Bench:
    clients = Clients(**{name: boto3.client(name) for name in ("s3", "glue", "secretsmanager")})
    for bucket in ("source", "curated", "vault"):
        location = {"LocationConstraint": "eu-west-1"}
        clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    key = clients.secretsmanager.create_secret(Name="key", SecretString=json.dumps({"key": bytes(range(32)).hex()}))
    arguments = Arguments(
        engine="s3",
        place=json.dumps({"bucket": "source"}),
        pseudonym_secret_arn=key["ARN"],
        curated_uri="s3://curated/bench",
        vault_uri="s3://vault/bench",
        shared_vault_uri="s3://vault/shared",
        code_commit="bench",
        as_of=date(2026, 1, 1),
    )
    return Bench(spark=spark, clients=clients, arguments=arguments, folder=folder)


def derby_job(bench: Bench, name: str) -> Job:
    """The job over a table in Derby, with a lake of its own."""
    database = Database(spark=bench.spark, name=name)
    properties = {
        "JDBC_CONNECTION_URL": database.url,
        "JDBC_DRIVER_CLASS_NAME": "org.apache.derby.jdbc.EmbeddedDriver",
    }
    definition = {"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
    bench.clients.glue.create_connection(ConnectionInput=definition)
    login = json.dumps({"username": "baton", "password": "baton"})
    arguments = replace(
        bench.arguments,
        engine="postgresql",
        connection_name=name,
        secret_arn=bench.clients.secretsmanager.create_secret(Name=name, SecretString=login)["ARN"],
        curated_uri=f"s3://curated/{name}/clients",
        vault_uri=f"s3://vault/{name}/clients",
        shared_vault_uri=f"s3://vault/{name}/shared",
    )
    return Job(
        spark=bench.spark, database=database, clients=bench.clients, model=model_of(COLUMNS), arguments=arguments
    )


def model_over(columns: dict[str, Any], **source: Any) -> Model:
    """The sample model with other columns, as a script sees it, and without rules."""
    content = load_models([ROOT / "config/models/bank_churn.yaml"], [])[0].model_dump(mode="json")
    content["name"] = "bench"
    content["source"] |= {"table": "bench", "key": next(iter(columns)), "watermark": None} | source
    content["quality"] = {"max_rejected_fraction": 0.0, "rules": []}
    content["columns"] = {
        name: Column.model_validate(column).model_dump(mode="json") for name, column in columns.items()
    }
    return parse_model(content)
