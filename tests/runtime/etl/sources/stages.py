"""The same rows in every kind of source, so that every reader can be held to the same contract."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import mongomock
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import cloudpickle
from pyspark.sql import DataFrame, SparkSession
from redis import Redis

from embedded.server import EmbeddedAws
from pipeline_scripts.etl.connection import JdbcConnection
from pipeline_scripts.etl.sources.dynamodb import DynamoSource
from pipeline_scripts.etl.sources.files import FileSource
from pipeline_scripts.etl.sources.jdbc import JdbcSource
from pipeline_scripts.etl.sources.mongodb import MongoSource
from pipeline_scripts.etl.sources.places import DocumentPlace, DynamoPlace, FilesPlace, RedisPlace
from pipeline_scripts.etl.sources.redis import RedisSource
from pipeline_scripts.etl.sources.source import PROBLEM, Source
from pipeline_scripts.etl.storage import CarriedFrames, Objects
from pipeline_scripts.model import Model
from tests.runtime.etl.servers import HOST, Server
from tests.runtime.etl.workbench import model_of

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # executors cannot import the tests
NUMBERS = count(1)  # a table, a prefix or a collection of its own for every test
Row = dict[str, Any]
COLUMNS: dict[str, dict[str, Any]] = {
    "ID": {"type": "integer", "treatment": "surrogate", "output": "ref"},
    "NAME": {"type": "string", "treatment": "drop"},
    "BORN": {"type": "date", "treatment": "drop"},
    "BALANCE": {"type": "double", "treatment": "keep", "output": "balance"},
    "ACTIVE": {"type": "boolean", "treatment": "keep", "output": "active"},
    "CHANGED": {"type": "timestamp", "treatment": "drop"},
}
ARROW = {
    "integer": pa.int64(),
    "string": pa.string(),
    "date": pa.date32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def moment(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=timezone.utc)


def row(number: int, **changed: Any) -> Row:
    """A row of which every value follows from its number."""
    content: Row = {
        "ID": number,
        "NAME": f"Name {number}",
        "BORN": date(1950 + number % 50, 1 + number % 12, 1 + number % 28),
        "BALANCE": number / 8,
        "ACTIVE": number % 2 == 0,
        "CHANGED": moment(1 + number % 28, number % 24),
    }
    return content | changed


class Stage(Protocol):
    """One kind of source, filled with what a test needs."""

    def fill(self, rows: Sequence[Row]) -> None:
        """These rows and no other; a key that a row leaves out is not there."""

    def source(self, columns: dict[str, dict[str, Any]] = COLUMNS, **settings: Any) -> Source:
        """The reader of it."""


def read(frame: DataFrame) -> list[Row]:
    """A frame's rows without problems, in the order of their keys."""
    assert frame.filter(frame[PROBLEM].isNotNull()).count() == 0
    rows = [item.asDict() for item in frame.select(*COLUMNS).collect()]
    for item in rows:
        changed = item["CHANGED"]
        item["CHANGED"] = None if changed is None else changed.astimezone(timezone.utc)
    return sorted(rows, key=lambda item: int(item["ID"]))


@dataclass(kw_only=True)
class DynamoStage:
    spark: SparkSession
    aws: EmbeddedAws
    table: str = field(default_factory=lambda: f"table{next(NUMBERS)}")

    def fill(self, rows: Sequence[Row]) -> None:
        client = self.aws.client("dynamodb")
        client.create_table(
            TableName=self.table,
            AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "N"}],
            KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in rows:
            attributes = {name: attribute(value) for name, value in item.items()}
            client.put_item(TableName=self.table, Item=attributes)

    def source(self, columns: dict[str, dict[str, Any]] = COLUMNS, **settings: Any) -> Source:
        place = DynamoPlace(region=self.aws.region, endpoint_url=self.aws.url)
        return DynamoSource(spark=self.spark, model=_model(columns, self.table, settings), place=place)


def attribute(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": str(value)}
    return {"S": value.isoformat() if isinstance(value, date) else value}


@dataclass(kw_only=True)
class MongoStage:
    spark: SparkSession
    documents: list[Row] = field(default_factory=list)

    def fill(self, rows: Sequence[Row]) -> None:
        self.documents = [{"_id": number, **{k: _bson(v) for k, v in item.items()}} for number, item in enumerate(rows)]

    def source(self, columns: dict[str, dict[str, Any]] = COLUMNS, **settings: Any) -> Source:
        columns = {"_id": {"type": "integer", "treatment": "drop"}, **columns}
        place = DocumentPlace(host=HOST, port=27017, database="shop", user="baton", password="none")
        opened = Memory(documents=self.documents)
        return MongoSource(spark=self.spark, model=_model(columns, "clients", settings), place=place, opened=opened)


def _bson(value: Any) -> Any:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return datetime(value.year, value.month, value.day, tzinfo=timezone.utc) if is_day else value


@dataclass(kw_only=True)
class Memory:
    """A server of MongoDB in the memory of whoever opens it, holding these documents."""

    documents: list[Row]

    @contextmanager
    def __call__(self, place: DocumentPlace) -> Iterator[Any]:
        client: Any = mongomock.MongoClient(tz_aware=True)
        if self.documents:
            client[place.database].clients.insert_many([dict(item) for item in self.documents])
        yield client


@dataclass(kw_only=True)
class RedisStage:
    spark: SparkSession
    server: Server
    prefix: str = field(default_factory=lambda: f"client{next(NUMBERS)}")

    @property
    def client(self) -> Any:
        return Redis(host=HOST, port=self.server.port, password=self.server.password)

    def fill(self, rows: Sequence[Row]) -> None:
        with self.client as client:
            for number, item in enumerate(rows):
                texts = {name: _text(value) for name, value in item.items() if value is not None}
                client.hset(f"{self.prefix}:{number}", mapping=texts)

    def source(self, columns: dict[str, dict[str, Any]] = COLUMNS, **settings: Any) -> Source:
        place = RedisPlace(
            host=HOST,
            port=self.server.port,
            database=0,
            user=self.server.user,
            password=self.server.password,
            tls=False,
        )
        return RedisSource(spark=self.spark, model=_model(columns, f"{self.prefix}:*", settings), place=place)


def _text(value: Any) -> str | bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


SQL_TYPES = {int: "BIGINT", str: "VARCHAR(200)", float: "DOUBLE PRECISION", bool: "BOOLEAN", date: "DATE"}


@dataclass(kw_only=True)
class RelationalStage:
    """A table of a real database, whose columns have the types of what they hold."""

    spark: SparkSession
    server: Server
    table: str = field(default_factory=lambda: f"table{next(NUMBERS)}")

    def fill(self, rows: Sequence[Row]) -> None:
        names = list(dict.fromkeys(name for item in rows for name in item)) or list(COLUMNS)
        ddl = ", ".join(f"{name} {self._type(name, rows)}" for name in names)
        literals = [", ".join(self._literal(item.get(name)) for name in names) for item in rows]
        self.server.fill(self.spark, table=self.table, ddl=ddl, rows=literals)

    def source(self, columns: dict[str, dict[str, Any]] = COLUMNS, **settings: Any) -> Source:
        server = self.server
        connection = JdbcConnection(url=server.url, driver=server.driver, user=server.user, password=server.password)
        return JdbcSource(spark=self.spark, connection=connection, model=_model(columns, self.table, settings))

    def _type(self, name: str, rows: Sequence[Row]) -> str:
        value = next((item[name] for item in rows if item.get(name) is not None), row(1).get(name))
        moments = "DATETIME(6)" if "mysql" in self.server.url else "TIMESTAMP(6)"
        return moments if isinstance(value, datetime) else SQL_TYPES[type(value)]

    def _literal(self, value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, datetime):
            return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}'"
        if isinstance(value, date):
            return f"DATE '{value}'"
        if isinstance(value, str):
            escaped = value.replace("\\", "\\\\") if "mysql" in self.server.url else value
            return "'" + escaped.replace("'", "''") + "'"
        return str(value)


@dataclass(kw_only=True)
class FileStage:
    """Files of one format in S3; `fill` spreads the rows over three of them."""

    spark: SparkSession
    aws: EmbeddedAws
    folder: Path
    form: str
    prefix: str = field(default_factory=lambda: f"landing/{next(NUMBERS)}")

    def put(self, name: str, content: bytes) -> None:
        self.aws.client("s3").put_object(Bucket="landing", Key=f"{self.prefix}/{name}", Body=content)

    def fill(self, rows: Sequence[Row]) -> None:
        names = list(dict.fromkeys(name for item in rows for name in item)) or list(COLUMNS)
        for number in range(3 if len(rows) > 3 else 1):
            self.put(
                f"part {number}.{self.form}", WRITERS[self.form](rows[number::3] if len(rows) > 3 else rows, names)
            )

    def source(self, columns: dict[str, dict[str, Any]] = COLUMNS, **settings: Any) -> Source:
        objects = Objects(self.aws.client("s3"))
        return FileSource(
            spark=self.spark,
            model=_model(columns, self.prefix, {"watermark": "last_modified", **settings, "format": self.form}),
            place=FilesPlace(bucket="landing"),
            objects=objects,
            frames=CarriedFrames(self.spark, objects, self.folder),
        )


def csv_of(rows: Sequence[Row], names: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for item in rows:
        values = (item.get(name) for name in names)
        writer.writerow(["" if value is None else _text(value) for value in values])
    return text.getvalue().encode()


def json_of(rows: Sequence[Row], _: Sequence[str]) -> bytes:
    return "".join(
        json.dumps(item, default=lambda value: value.isoformat(), ensure_ascii=False) + "\n" for item in rows
    ).encode()


def parquet_of(rows: Sequence[Row], names: Sequence[str]) -> bytes:
    declared = {name: column["type"] for name, column in COLUMNS.items()}
    arrays = {}
    for name in names:
        values = [item.get(name) for item in rows]
        fits = all(value is None or isinstance(value, type(row(1).get(name))) for value in values)
        arrays[name] = pa.array(values, ARROW[declared[name]] if name in declared and fits else None)
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[Sequence[Row], Sequence[str]], bytes]] = {
    "csv": csv_of,
    "json": json_of,
    "parquet": parquet_of,
}


def _model(columns: dict[str, dict[str, Any]], table: str, settings: dict[str, Any]) -> Model:
    return model_of(columns, **{"table": table, "watermark": "CHANGED", "fetch_size": 3, "partitions": 2, **settings})
