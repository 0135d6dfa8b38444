"""The source as the model declares it, or not at all: what is undeclared, missing or retyped stops the run."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NoReturn

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline_scripts.etl.errors import SourceRefused
from pipeline_scripts.model import Column

# Spark's type of every type a model can declare.
SPARK_TYPES = {
    "integer": "bigint",
    "double": "double",
    "string": "string",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}


def _is_whole(actual: T.DataType) -> bool:
    """Fits a 64-bit integer without loss. MySQL's TINYINT(1) arrives as a boolean, Oracle's NUMBER(10) as a decimal."""
    if isinstance(actual, T.DecimalType):
        return actual.scale == 0 and actual.precision <= 18
    return isinstance(actual, T.ByteType | T.ShortType | T.IntegerType | T.LongType | T.BooleanType)


# Which of the driver's types a declared type accepts: those that lose nothing that the declaration promises.
COMPATIBLE: dict[str, Callable[[T.DataType], bool]] = {
    "integer": _is_whole,
    "double": lambda actual: isinstance(actual, T.NumericType),
    "string": lambda actual: isinstance(actual, T.StringType),
    "date": lambda actual: isinstance(actual, T.DateType | T.TimestampType | T.TimestampNTZType),
    "timestamp": lambda actual: isinstance(actual, T.DateType | T.TimestampType | T.TimestampNTZType),
    "boolean": lambda actual: isinstance(actual, T.BooleanType),
}


def undeclared(name: str) -> str:
    """The sentence for a column that the model does not declare."""
    return (
        f"{name}: the source has this column and the model does not declare it; "
        "add it under columns, with treatment drop if nobody needs it"
    )


def missing(name: str) -> str:
    """The sentence for a declared column that is not there."""
    return f"{name}: declared, but the source has it not; remove it or mend its name"


def retyped(name: str, *, declared: str, found: str, answers_sql: bool = True) -> str:
    """The sentence for a column of another type than declared."""
    cast = ", or cast it in source.query" if answers_sql else ""
    return f"{name}: declared as {declared}, but the source has {found}; mend its type under columns{cast}"


def refuse(problems: Sequence[str]) -> NoReturn:
    """Stop the run with everything that is wrong with its source.

    Raises:
        SourceRefused: Always.
    """
    raise SourceRefused("source refused, nothing was written: " + " | ".join(problems))


def match_columns(fields: Sequence[T.StructField], columns: Sequence[Column]) -> dict[str, str]:
    """The source's own spelling of every declared column.

    Databases fold the case of names, each in its own way, so case does not count.

    Raises:
        SourceRefused: A column is undeclared, missing, of another type, or there twice. All of them are named.
    """
    actual = {field.name.lower(): field for field in fields}
    declared = {column.name.lower(): column for column in columns}
    problems = [
        f"{name}: the source has this column more than once; name its columns apart in source.query"
        for name, count in Counter(field.name.lower() for field in fields).items()
        if count > 1
    ]
    problems += [undeclared(field.name) for name, field in actual.items() if name not in declared]
    for name, column in declared.items():
        if name not in actual:
            problems.append(missing(column.name))
        elif not COMPATIBLE[column.type](actual[name].dataType):
            found = actual[name].dataType.simpleString()
            problems.append(retyped(column.name, declared=column.type, found=found))
    if problems:
        refuse(problems)
    return {column.name: actual[name].name for name, column in declared.items()}


def conform(frame: DataFrame, columns: Sequence[Column]) -> DataFrame:
    """The frame with the declared names and types, in declared order.

    Raises:
        SourceRefused: See `match_columns`.
    """
    spelling = match_columns(frame.schema.fields, columns)
    return frame.select(
        *(F.col(f"`{spelling[column.name]}`").cast(SPARK_TYPES[column.type]).alias(column.name) for column in columns)
    )
