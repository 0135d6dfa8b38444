"""Cells of text, made what the model declares; a row with a cell that cannot be is told by column and reason."""

from collections.abc import Iterator, Sequence

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.schema import SPARK_TYPES
from pipeline_scripts.etl.sources.source import PROBLEM, Window
from pipeline_scripts.model import Column

WHOLE = "__torn_whole"
LONGEST_TEXT = 100_000
"""Characters that one cell may have: more is a quote that was never closed, or a document."""

# How each type is written. Spark's own cast would take "1.5" for the integer 1, and "2020" for a date.
FORMS = {
    "integer": r"^ *[+-]?[0-9]{1,19} *$",
    "double": r"^ *[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})? *$",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "timestamp": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?$",
    "boolean": r"^(?i)(true|false)$",
}
MEANT = {
    "integer": "is not an integer of 64 bits",
    "double": "is not a double",
    "date": "is not a date (YYYY-MM-DD)",
    "timestamp": "is not a timestamp (YYYY-MM-DDThh:mm:ss, UTC where no zone follows)",
    "boolean": "is not true or false",
}
"""Why a value is not of its declared type, without saying what it is."""


def parse_cells(frame: DataFrame, columns: Sequence[Column], *, torn: Expression, whole: str) -> DataFrame:
    """The frame of text as the declared columns and types, with `PROBLEM`.

    Args:
        frame: Has the declared columns as text. An empty text of another type than string is NULL.
        columns: What the model declares.
        torn: Where it holds, no cell of the row can be told from its neighbour: all of them are NULL.
        whole: The reason for a torn row.
    """
    # In two steps: what a value and its reason both need is worked out once, for Spark joins no steps at that price.
    read = frame.select(
        *(F.when(~torn, _value(column)).alias(column.name) for column in columns),
        *(_cell(column).alias(_as_written(column)) for column in columns),
        torn.alias(WHOLE),
    )
    problem = F.concat_ws("; ", *(reason for column in columns for reason in _reasons(column)))
    told = F.when(F.col(WHOLE), F.lit(whole)).otherwise(F.nullif(problem, F.lit(""))).alias(PROBLEM)
    return read.select(*(F.col(f"`{column.name}`") for column in columns), told)


def within(frame: DataFrame, *, watermark: str | None, window: Window) -> DataFrame:
    """The rows of a window; those without a watermark, or with one that cannot be read, among them."""
    if watermark is None:
        return frame
    value = F.col(f"`{watermark}`")
    if window.low is not None:
        frame = frame.filter(value.isNull() | (value >= F.lit(window.low)))
    if window.high is not None:
        frame = frame.filter(value.isNull() | (value <= F.lit(window.high)))
    return frame


def _cell(column: Column) -> Expression:
    return F.col(f"`{column.name}`")


def _value(column: Column) -> Expression:
    """The cell at its declared type, NULL where it cannot be."""
    cell = _cell(column)
    if column.type == "string":
        return F.when(~cell.rlike("[\\x00\\uFFFD]") & (F.length(cell) <= LONGEST_TEXT), cell)
    text = f"`{column.name}`"
    if column.type == "timestamp":
        text = f"if({text} rlike '(Z|[+-]..:..)$', {text}, concat({text}, 'Z'))"
    value = F.expr(f"try_cast({text} AS {SPARK_TYPES[column.type]})")
    formed = cell.rlike(FORMS[column.type])
    return F.when(formed & (F.abs(value) < float("inf")) if column.type == "double" else formed, value)


def _as_written(column: Column) -> str:
    return f"__written_{column.name}"


def _reasons(column: Column) -> Iterator[Expression]:
    """NULL where all is well, else the column's name and what is wrong with it."""
    cell, value = F.col(f"`{_as_written(column)}`"), _cell(column)
    if column.type == "string":
        yield F.when(cell.contains("\ufffd"), f"{column.name}: holds bytes that are not UTF-8")
        yield F.when(cell.contains("\0"), f"{column.name}: holds a NUL character")
        yield F.when(F.length(cell) > LONGEST_TEXT, f"{column.name}: is longer than {LONGEST_TEXT} characters")
    else:
        empty = F.trim(cell) == ""
        yield F.when(cell.isNotNull() & ~empty & value.isNull(), f"{column.name}: {MEANT[column.type]}")
