"""Handle missing values: in text, blanks are missing too; in numbers, NaN."""

from typing import Any

from pyspark.ml.feature import Imputer
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType, NumericType, StringType

from embedded.wrangler.categories import by_frequency
from embedded.wrangler.choices import OperatorFailed, OperatorRefused, col, family, number, still_valid


def missing(table: DataFrame, name: str) -> Column:
    """Whether a column has no value in a row."""
    kind = table.schema[name].dataType
    if isinstance(kind, StringType):
        return col(name).isNull() | (F.trim(col(name)) == "")
    if isinstance(kind, NumericType):
        return col(name).isNull() | F.isnan(col(name).cast("double"))
    return col(name).isNull()


def drop_missing(
    table: DataFrame,
    input_column: str | None = None,
    dimension: str | None = None,
    drop_rows_parameters: dict[str, Any] | None = None,
) -> DataFrame:
    """Leave out rows without a value in one column, or, when none is named, in any.

    `dimension` and `drop_rows_parameters` are how older flows name the column.
    """
    if dimension is not None:
        if dimension != "Drop Rows":
            raise OperatorRefused(f"dimension {dimension!r}")
        named = (drop_rows_parameters or {}).get("input_column")
        for name in named if isinstance(named, list) else [named] if named else []:
            if name not in table.columns:
                raise OperatorFailed(f"there is no column {name!r}")
            table = table.where(~missing(table, name))
        if named:
            return table
    for name in [input_column] if input_column else table.columns:
        table = table.where(~missing(table, name))
    return table


def fill_missing(table: DataFrame, input_column: str, fill_value: Any, output_column: str | None = None) -> DataFrame:
    """Put one value where there is none, in the column's own type."""
    kind = table.schema[input_column].dataType
    value: Any = str(fill_value)
    if isinstance(kind, NumericType):
        value = number(fill_value, "fill_value")
        value = int(value) if isinstance(kind, IntegralType) else value
    return _filled(table, input_column, F.lit(value), output_column)


def add_indicator(table: DataFrame, input_column: str, output_column: str | None = None) -> DataFrame:
    """Add a column that says where there is no value."""
    return table.withColumn(output_column or f"{input_column}_indicator", missing(table, input_column))


def impute_number(
    table: DataFrame, input_column: str, strategy: str, output_column: str | None = None, learnt: Any = None
) -> DataFrame:
    """Put the mean or the median where there is no number."""
    strategies = {"Mean": "mean", "Approximate Median": "median"}
    if strategy not in strategies:
        raise OperatorRefused(f"strategy {strategy!r}")
    if not isinstance(table.schema[input_column].dataType, NumericType):
        raise OperatorFailed(f"{input_column!r} is not numeric; choose column_type Categorical")
    known = still_valid(learnt, {"strategy": strategy}).get("impute_value")
    if known is not None:
        return _filled(table, input_column, F.lit(float(known)), output_column)
    if table.where(~missing(table, input_column)).isEmpty():
        raise OperatorFailed(f"{input_column!r} has no value to learn from")
    # Spark's models know no way to quote a name.
    plain = table.select(*(col(name).alias(f"c{place}") for place, name in enumerate(table.columns)))
    source = f"c{table.columns.index(input_column)}"
    model = Imputer(inputCols=[source], outputCols=["imputed"], strategy=strategies[strategy]).fit(plain)
    target = output_column or input_column
    names = [*(name for name in table.columns if name != target), target]
    if target in table.columns:
        names = table.columns
    filled = model.transform(plain)
    places = {name: f"c{place}" for place, name in enumerate(table.columns)} | {target: "imputed"}
    return filled.select(*(F.col(places[name]).alias(name) for name in names))


def impute_category(
    table: DataFrame, input_column: str, output_column: str | None = None, learnt: Any = None
) -> DataFrame:
    """Put the most frequent value where there is none; of several, the first in order."""
    value = still_valid(learnt, {}).get("impute_value")
    if value is None:
        most = by_frequency(table.where(~missing(table, input_column)), col(input_column)).first()
        if most is None:
            raise OperatorFailed(f"{input_column!r} has no value to learn from")
        value = most["value"]
    return _filled(table, input_column, F.lit(value), output_column)


def _filled(table: DataFrame, name: str, value: Column, output: str | None) -> DataFrame:
    kind = table.schema[name].dataType
    return table.withColumn(output or name, F.when(missing(table, name), value.cast(kind)).otherwise(col(name)))


HANDLE_MISSING = family(
    drop_missing=("Drop missing", drop_missing),
    fill_missing=("Fill missing", fill_missing),
    add_indicator_for_missing=("Add indicator for missing", add_indicator),
    impute=(
        "Impute",
        family("column_type", numeric=("Numeric", impute_number), categorical=("Categorical", impute_category)),
    ),
)
