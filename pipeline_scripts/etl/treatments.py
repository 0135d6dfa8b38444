"""What becomes of each declared column on its way to the curated zone."""

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline_scripts.etl.bands import band_labels, bounds_reached
from pipeline_scripts.etl.keyed_hash import keyed_hash, with_key
from pipeline_scripts.model import Column, Model


def surrogate_column(column: str) -> str:
    """Where the ordinal of `column` waits, beside the source's own columns."""
    return f"__surrogate_{column}"


def pseudonymise(frame: DataFrame, *, model: Model, key: bytes, as_of: date, spark: SparkSession) -> DataFrame:
    """The curated columns, and none of the source's.

    Args:
        frame: The source's columns, and the ordinals of the surrogate columns (`surrogate_column`).
        model: Says what becomes of each column.
        key: Of the keyed hashes.
        as_of: The day on which ages are counted.
        spark: The session of `frame`.
    """
    if any(column.treatment == "keyed_hash" for column in model.columns):
        frame = with_key(frame, key=key, spark=spark)
    return frame.select(
        *(_treated(column, as_of).alias(column.output) for column in model.columns if column.output is not None)
    )


def _treated(column: Column, as_of: date) -> SparkColumn:
    values = F.col(column.name)
    if column.treatment == "keyed_hash":
        return keyed_hash(values.cast("string"))
    if column.treatment == "surrogate":
        return F.col(surrogate_column(column.name))
    if column.treatment == "generalise":
        return _prefix(values, column.prefix) if column.prefix else _band(values, column, as_of)
    return values


def _prefix(values: SparkColumn, length: int) -> SparkColumn:
    return F.substring(values.cast("string"), 1, length)


def _band(values: SparkColumn, column: Column, as_of: date) -> SparkColumn:
    bounds = column.bands or ()
    labels = band_labels(bounds)
    reached = bounds_reached(values, kind=column.type, bounds=bounds, as_of=as_of)
    # Spark holds NaN for the largest number; here it is no number, as NULL is.
    empty = F.isnan(values) | values.isNull() if column.type == "double" else values.isNull()
    label = F.when(empty, None)
    for has_reached, name in zip(reversed(reached), reversed(labels[1:]), strict=True):
        label = label.when(has_reached, name)
    return label.otherwise(labels[0])
