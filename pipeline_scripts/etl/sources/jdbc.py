"""Reads a relational database over JDBC: bounded, in parallel, a table or a query of one's own, as a window of it."""

from datetime import date, datetime, timedelta, timezone
from functools import cached_property
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from pipeline_scripts.etl.connection import JdbcConnection
from pipeline_scripts.etl.schema import SPARK_TYPES, conform, match_columns
from pipeline_scripts.etl.sources.source import PROBLEM, Watermark, Window
from pipeline_scripts.model import Model

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class JdbcSource:
    """One table or query of a relational database.

    Parallel reads split the range of the key where it is a number, else of the watermark; a source with neither is
    read by one task.

    Args:
        spark: The running session; its time zone must be UTC, in which the database's times are taken.
        connection: Where the database answers, and the login.
        model: Says what to read and what to expect.
    """

    def __init__(self, *, spark: SparkSession, connection: JdbcConnection, model: Model) -> None:
        self._spark = spark
        self._connection = connection
        self._model = model
        source = model.source
        # Spark's `query` option would do for a query, but not together with partitions.
        self._relation = source["table"] or f"({source['query'].strip().rstrip(';')}) baton_source"

    def newest(self) -> Watermark | None:
        """The largest watermark, by a query that the database answers."""
        name = self._model.source["watermark"]
        return None if name is None or self._extent is None else _watermark(self._extent["newest"], self._kind(name))

    def read(self, window: Window) -> DataFrame:
        """The window's rows. Lazy: nothing is read yet but the schema and the range to split."""
        reader = self._reader()
        split = self._split()
        if split is not None:
            reader = reader.options(**split)
        frame = reader.option("dbtable", self._relation).load()
        name = self._model.source["watermark"]
        if name is not None:
            # On the relation's own column and type, so that the database filters and not Spark.
            frame = _within(frame, self._spelling[name], self._kind(name), window)
        return conform(frame, self._model.columns).withColumn(PROBLEM, F.lit(None).cast("string"))

    @cached_property
    def _spelling(self) -> dict[str, str]:
        fields = self._reader().option("dbtable", self._relation).load().schema.fields
        return match_columns(fields, self._model.columns)

    @cached_property
    def _extent(self) -> Row | None:
        """The ends of the key and of the watermark, by one query; None where there is nothing to ask for."""
        wanted: dict[str, tuple[str, str]] = {}
        if self._kind(self._model.key) == "integer":
            wanted |= {"low": ("MIN", self._model.key), "high": ("MAX", self._model.key)}
        watermark = self._model.source["watermark"]
        if watermark is not None:
            wanted |= {"oldest": ("MIN", watermark), "newest": ("MAX", watermark)}
        if not wanted:
            return None
        selected = ", ".join(
            f"{function}({self._quoted(column)}) AS baton_{name}" for name, (function, column) in wanted.items()
        )
        frame = self._reader().option("query", f"SELECT {selected} FROM {self._relation}").load()
        ends = []
        for (name, (_, column)), found in zip(wanted.items(), frame.columns, strict=True):
            end = F.col(f"`{found}`").cast(SPARK_TYPES[self._kind(column)])  # databases fold the case of names
            # A time as its microseconds: as a Python time it would be shifted to the zone of this process.
            ends.append((F.unix_micros(end) if self._kind(column) == "timestamp" else end).alias(name))
        extent: Row | None = frame.select(*ends).first()
        return extent

    def _split(self) -> dict[str, Any] | None:
        """How Spark splits the reading; None where one task reads all."""
        source, extent = self._model.source, self._extent if self._model.source["partitions"] > 1 else None
        if extent is None:
            return None
        is_number = self._kind(self._model.key) == "integer"
        column = self._model.key if is_number else source["watermark"]
        ends = [extent[name] for name in (("low", "high") if is_number else ("oldest", "newest"))]
        if None in ends or ends[0] == ends[1]:
            return None
        low, high = (_as_bound(_watermark(end, self._kind(column))) for end in ends)
        name = self._spelling[column]
        return {"partitionColumn": name, "lowerBound": low, "upperBound": high, "numPartitions": source["partitions"]}

    def _kind(self, name: str) -> str:
        return next(column.type for column in self._model.columns if column.name == name)

    def _quoted(self, name: str) -> str:
        jvm: Any = self._spark._jvm
        dialect = jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(self._connection.url)
        return str(dialect.quoteIdentifier(self._spelling[name]))

    def _reader(self) -> Any:
        reader = self._spark.read.format("jdbc").options(**self._connection.options())
        return reader.option("fetchsize", self._model.source["fetch_size"])


def _within(frame: DataFrame, name: str, kind: str, window: Window) -> DataFrame:
    """The rows of the window; a row without a watermark is always one of them."""
    column = F.col(f"`{name}`")
    if kind == "date":
        column = column.cast("date")  # all of the last day belongs to a window of days, whatever the database keeps
    type_ = "date" if kind == "date" else frame.schema[name].dataType
    inside: SparkColumn | None = None
    for bound, reaches in ((window.low, column.__ge__), (window.high, column.__le__)):
        if bound is not None:
            bounded = reaches(F.lit(bound).cast(type_))
            inside = bounded if inside is None else inside & bounded
    return frame if inside is None else frame.where(inside | column.isNull())


def _watermark(value: Any, kind: str) -> Watermark | None:
    if value is None:
        return None
    if kind == "date":
        return date.fromisoformat(str(value))
    return int(value) if kind == "integer" else _EPOCH + timedelta(microseconds=int(value))


def _as_bound(end: Any) -> str:
    """As Spark reads the bounds of a split."""
    return end.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(end, datetime) else str(end)
