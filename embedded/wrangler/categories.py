"""Encode categorical columns. Categories are ordered by how frequent they are, then by name."""

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from embedded.wrangler.choices import OperatorFailed, OperatorRefused, col, family

_SKIP, _ERROR, _KEEP, _NAN = "Skip", "Error", "Keep", "Replace with NaN"


def by_frequency(table: DataFrame, category: Column) -> DataFrame:
    """Each `value` of a category with its `count`, the most frequent first; of as many, in order."""
    counts = table.where(category.isNotNull()).groupBy(category.alias("value")).count()
    return counts.orderBy(F.desc("count"), F.asc("value"))


def ordinal(
    table: DataFrame, input_column: str, invalid_handling_strategy: str = _ERROR, output_column: str | None = None
) -> DataFrame:
    """Replace each category by its place, counted from 0."""
    table, labels = _known(table, input_column, invalid_handling_strategy, (_SKIP, _ERROR, _KEEP, _NAN))
    rest = float("nan") if invalid_handling_strategy == _NAN else float(len(labels))
    place = F.lit(rest)
    for number, label in reversed(list(enumerate(labels))):
        place = F.when(col(input_column).cast("string") == label, F.lit(float(number))).otherwise(place)
    return table.withColumn(output_column or input_column, place)


def one_hot(
    table: DataFrame,
    input_column: str,
    invalid_handling_strategy: str = _ERROR,
    drop_last: Any = True,
    output_style: str = "Vector",
    input_already_ordinal_encoded: Any = False,
    output_column: str | None = None,
) -> DataFrame:
    """Add a column of ones and zeros for each category, instead of the column or beside it."""
    if output_style != "Columns":
        raise OperatorRefused(f"output_style {output_style!r}")
    if input_already_ordinal_encoded:
        raise OperatorRefused("parameter input_already_ordinal_encoded")
    if drop_last and invalid_handling_strategy != _KEEP:
        raise OperatorRefused("parameter drop_last")
    emptied = F.when(col(input_column).cast("string") == "", None).otherwise(col(input_column))
    table = table.withColumn(input_column, emptied)
    table, labels = _known(table, input_column, invalid_handling_strategy, (_SKIP, _ERROR, _KEEP))
    name = output_column or input_column
    ones = [
        F.coalesce((col(input_column).cast("string") == label).cast("double"), F.lit(0.0)).alias(f"{name}_{label}")
        for label in labels
    ]
    kept = [col(other) for other in table.columns if other != input_column or output_column]
    return table.select(*kept, *ones)


def _known(table: DataFrame, name: str, strategy: str, allowed: tuple[str, ...]) -> tuple[DataFrame, list[str]]:
    """The rows that can be encoded, and the categories in their order."""
    if strategy not in allowed:
        raise OperatorRefused(f"invalid_handling_strategy {strategy!r}")
    if strategy == _ERROR and table.where(col(name).isNull()).limit(1).count():
        raise OperatorFailed(f"{name!r} has missing values, and invalid_handling_strategy is {_ERROR}")
    labels = [row["value"] for row in by_frequency(table, col(name).cast("string")).collect()]
    return (table.where(col(name).isNotNull()) if strategy == _SKIP else table), labels


ENCODE_CATEGORICAL = family(ordinal_encode=("Ordinal encode", ordinal), one_hot_encode=("One-hot encode", one_hot))
