"""Sources without a schema: executors read records, and what fields these have is known when all of them were seen.

Each slice of the source ends with one more row, which says what fields its records had. So one pass gives the rows and
the source's shape, and nothing but that is collected.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline_scripts.etl.schema import SPARK_TYPES, missing, refuse, retyped, undeclared
from pipeline_scripts.etl.sources.source import EVERYTHING, PROBLEM, Watermark, Window
from pipeline_scripts.etl.sources.values import Mistyped, Unreadable
from pipeline_scripts.etl.spark_errors import explained
from pipeline_scripts.model import Column

SHAPE = "__shape"
MOST_NAMES = 100  # of undeclared fields that one slice remembers: documents may be keyed by anything
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")

Slice = TypeVar("Slice")
Record: TypeAlias = Mapping[str, Any] | str
"""The fields of a record; a text instead says why there is none."""


@dataclass(frozen=True, kw_only=True)
class Shaping:
    """How the records of one kind of source become rows.

    `convert` makes a value its declared type; it raises `Mistyped` where the source itself keeps it as another, and
    `Unreadable` where it cannot be read. With `refuses_mistyped` one value of another type refuses the source, because
    the store gives each value a type and somebody changed it; else it makes its row a problem.
    """

    columns: tuple[Column, ...]
    convert: Callable[[Any, str], Any]
    refuses_mistyped: bool
    watermark: str | None = None
    window: Window = EVERYTHING


def read_records(
    *,
    spark: SparkSession,
    slices: Sequence[Slice],
    read: Callable[[Slice], Iterable[Record]],
    shaping: Shaping,
    is_whole: bool,
) -> DataFrame:
    """The records' rows and `PROBLEM`. They are read now, once, and kept for whoever uses the frame.

    Args:
        spark: Reads each slice on an executor of its own.
        slices: The parts of the source; they and `read` travel to the executors.
        read: Gives the records of a slice, one after the other.
        shaping: How they become rows.
        is_whole: Every record is read. Only then a declared column that none of them has counts as missing: that the
            few records of a window leave out an optional field says nothing.

    Raises:
        SourceRefused: Fields are undeclared, missing or of another type; all of them are named.
        EtlError: The source cannot be read.
    """
    types = [T.StructField(column.name, as_type(column)) for column in shaping.columns]
    schema = T.StructType([*types, *(T.StructField(name, T.StringType()) for name in (PROBLEM, SHAPE))])
    rows = spark.sparkContext.parallelize(slices, len(slices)).mapPartitions(partial(_rows, read=read, shaping=shaping))
    frame = spark.createDataFrame(rows, schema, verifySchema=False).persist(StorageLevel.MEMORY_AND_DISK)
    with explained("source"):
        shapes = [json.loads(row[0]) for row in frame.filter(F.col(SHAPE).isNotNull()).select(SHAPE).collect()]
    problems = _problems(shapes, shaping, is_whole=is_whole)
    if problems:
        frame.unpersist()
        refuse(problems)
    return frame.filter(F.col(SHAPE).isNull()).drop(SHAPE)


def newest_of(
    *,
    spark: SparkSession,
    slices: Sequence[Slice],
    read: Callable[[Slice], Iterable[Record]],
    shaping: Shaping,
) -> Watermark | None:
    """The largest watermark of all records; those that have none, or one that cannot be read, do not count."""
    parts = spark.sparkContext.parallelize(slices, len(slices))
    with explained("source"):
        found = parts.mapPartitions(partial(_largest, read=read, shaping=shaping)).collect()
    return max(found, default=None)


@dataclass(kw_only=True)
class _Seen:
    """What fields the records of one slice had."""

    records: int = 0
    declared: set[str] = field(default_factory=set)
    undeclared: set[str] = field(default_factory=set)
    mistyped: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        return json.dumps(
            {
                "records": self.records,
                "declared": sorted(self.declared),
                "undeclared": sorted(self.undeclared),
                "mistyped": self.mistyped,
            }
        )


def _rows(
    slices: Iterator[Slice], *, read: Callable[[Slice], Iterable[Record]], shaping: Shaping
) -> Iterator[tuple[Any, ...]]:
    seen = _Seen()
    nothing = (None,) * len(shaping.columns)
    for part in slices:
        for record in read(part):
            if isinstance(record, str):
                yield (*nothing, record, None)
                continue
            values, problem = _row(record, shaping, seen)
            if shaping.watermark is None or _admits(shaping, values):
                yield (*values, problem, None)
    yield (*nothing, None, seen.as_json())


def _row(record: Mapping[str, Any], shaping: Shaping, seen: _Seen) -> tuple[tuple[Any, ...], str | None]:
    """A record's values in declared order, and what is wrong with them."""
    values, reasons, found = [], [], 0
    for column in shaping.columns:
        value = None
        if column.name in record:
            found += 1
            seen.declared.add(column.name)
            try:
                value = None if record[column.name] is None else shaping.convert(record[column.name], column.type)
            except Unreadable as reason:
                reasons.append(f"{column.name}: {reason}")
            except Mistyped as kind:
                seen.mistyped[column.name] = str(kind)
                reasons.append(f"{column.name}: is {kind}, not {column.type}")
        values.append(value)
    if found < len(record) and len(seen.undeclared) < MOST_NAMES:
        seen.undeclared.update(record.keys() - {column.name for column in shaping.columns})
    seen.records += 1
    return tuple(values), "; ".join(reasons) or None


def _admits(shaping: Shaping, values: tuple[Any, ...]) -> bool:
    position = [column.name for column in shaping.columns].index(str(shaping.watermark))
    value, window = values[position], shaping.window
    if value is None:
        return True
    return (window.low is None or value >= window.low) and (window.high is None or value <= window.high)


def _largest(
    slices: Iterator[Slice], *, read: Callable[[Slice], Iterable[Record]], shaping: Shaping
) -> Iterator[Watermark]:
    """The largest watermark of some slices, if there is any."""
    column = next(column for column in shaping.columns if column.name == shaping.watermark)
    largest = None
    for part in slices:
        for record in read(part):
            values, _ = ((None,), None) if isinstance(record, str) else _row(record, _only(shaping, column), _Seen())
            if values[0] is not None and (largest is None or values[0] > largest):
                largest = values[0]
    if largest is not None:
        yield largest


def _only(shaping: Shaping, column: Column) -> Shaping:
    return Shaping(columns=(column,), convert=shaping.convert, refuses_mistyped=shaping.refuses_mistyped)


def _problems(shapes: Sequence[dict[str, Any]], shaping: Shaping, *, is_whole: bool) -> list[str]:
    """Everything that keeps the source from being what the model declares, a sentence each."""
    strays = sorted({name for shape in shapes for name in shape["undeclared"]})
    problems = [undeclared(name) for name in strays if NAME.fullmatch(name)]
    if len(problems) < len(strays):
        problems.append("fields whose names no column can have: the model does not declare them; remove them there")
    has_records = any(shape["records"] for shape in shapes)
    present = {name for shape in shapes for name in shape["declared"]}
    if is_whole and has_records:
        problems += [missing(column.name) for column in shaping.columns if column.name not in present]
    if shaping.refuses_mistyped:
        found = {name: kind for shape in shapes for name, kind in shape["mistyped"].items()}
        problems += [
            retyped(column.name, declared=column.type, found=found[column.name], answers_sql=False)
            for column in shaping.columns
            if column.name in found
        ]
    return problems


def as_type(column: Column) -> T.DataType:
    """Spark's type of a declared column."""
    return {
        "bigint": T.LongType(),
        "double": T.DoubleType(),
        "string": T.StringType(),
        "date": T.DateType(),
        "timestamp": T.TimestampType(),
        "boolean": T.BooleanType(),
    }[SPARK_TYPES[column.type]]
