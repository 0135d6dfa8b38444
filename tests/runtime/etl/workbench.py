"""The ETL job on a workbench: a table in Derby, a lake of two buckets, and a model that uses every treatment."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from baton.specification.columns import Column
from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.job import work
from pipeline_scripts.etl.sources.open import Clients
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
    (
        101,
        'Bo "B" O\'Neill, jr',
        "DE02100100100006820102",
        date(2008, 1, 16),
        1000.0,
        "80331",
        "Łódź, old",
        700,
        1,
    ),
    (999, "Chloé Ünal", None, date(1956, 1, 15), 2000.0, None, None, None, 0),
    (102, "Dag\nSolberg", "DE02100100100006820104", None, None, "1", "東京", 845, 1),
]


NEWCOMERS: list[Row] = [
    (50, "Eva Ny", None, None, None, None, None, 1, 0),
    (5000, "Finn Ny", None, None, None, None, None, 2, 0),
]


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
    if isinstance(value, datetime):
        return f"TIMESTAMP('{value.isoformat(sep=' ')}')"
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

    def run(self, **changed: Any) -> dict[str, Any]:
        model = changed.pop("model", self.model)
        clients = changed.pop("clients", self.clients)
        return work(spark=self.spark, model=model, arguments=replace(self.arguments, **changed), clients=clients)

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
    content["source"] |= {"table": "CLIENTS", "key": "ID", "watermark": None} | source
    content["quality"] = {"max_rejected_fraction": 0.0, "rules": []}
    content["columns"] = {
        name: Column.model_validate(column).model_dump(mode="json") for name, column in columns.items()
    }
    return parse_model(content)


def published(job: Job) -> list[dict[str, Any]]:
    """The rows of the published version, read as its consumers do: with pyarrow, over the manifest."""
    manifest = job.json(job.json(f"{job.arguments.curated_uri}/current.json")["manifest_uri"])
    rows: list[dict[str, Any]] = []
    for file in manifest["files"]:
        bucket, _, key = f"{manifest['dataset_uri']}{file['name']}".removeprefix("s3://").partition("/")
        body = job.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        rows += pq.read_table(io.BytesIO(body)).to_pylist()
    return rows
