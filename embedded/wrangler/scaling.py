"""Process numeric columns: scale them with Spark's own scalers. A missing number becomes NaN, as in Data Wrangler."""

from typing import Any

from pyspark.ml.feature import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from embedded.wrangler.choices import OperatorFailed, col, family, number, require_numeric


def standard(
    table: DataFrame, input_column: str, center: Any = False, scale: Any = True, output_column: str | None = None
) -> DataFrame:
    """Divide by the standard deviation; with `center`, take the mean away first."""
    return _scaled(table, input_column, output_column, StandardScaler(withMean=bool(center), withStd=bool(scale)))


def robust(
    table: DataFrame,
    input_column: str,
    lower_quantile: Any = 0.25,
    upper_quantile: Any = 0.75,
    center: Any = False,
    scale: Any = True,
    output_column: str | None = None,
) -> DataFrame:
    """Divide by the distance of two quantiles; with `center`, take the median away first."""
    scaler = RobustScaler(
        lower=number(lower_quantile, "lower_quantile"),
        upper=number(upper_quantile, "upper_quantile"),
        withCentering=bool(center),
        withScaling=bool(scale),
    )
    return _scaled(table, input_column, output_column, scaler)


def min_max(
    table: DataFrame,
    input_column: str,
    min: Any = 0.0,
    max: Any = 1.0,
    output_column: str | None = None,
) -> DataFrame:
    """Stretch to lie between two numbers."""
    scaler = MinMaxScaler(min=number(min, "min"), max=number(max, "max"))
    return _scaled(table, input_column, output_column, scaler)


def max_absolute(table: DataFrame, input_column: str, output_column: str | None = None) -> DataFrame:
    """Divide by the largest absolute value."""
    return _scaled(table, input_column, output_column, MaxAbsScaler())


def _scaled(table: DataFrame, name: str, output: str | None, scaler: Any) -> DataFrame:
    require_numeric(table, name)
    value, vector, result = _unused(table, "value"), _unused(table, "vector"), _unused(table, "result")
    numbers = table.withColumn(value, col(name).cast("double"))
    parts = VectorAssembler(inputCols=[value], outputCol=vector)
    known = parts.setHandleInvalid("skip").transform(numbers)
    if known.isEmpty():
        raise OperatorFailed(f"{name!r} has no value to learn from")
    model = scaler.setInputCol(vector).setOutputCol(result).fit(known)
    done: DataFrame = model.transform(parts.setHandleInvalid("keep").transform(numbers))
    target = output or name
    done = done.withColumn(target, vector_to_array(F.col(result))[0])
    return done.select(*(col(column) for column in dict.fromkeys([*table.columns, target])))


def _unused(table: DataFrame, name: str) -> str:
    while name in table.columns:
        name = f"_{name}"
    return name


PROCESS_NUMERIC = family(
    scale_values=(
        "Scale values",
        family(
            "scaler",
            standard_scaler=("Standard scaler", standard),
            robust_scaler=("Robust scaler", robust),
            min_max_scaler=("Min-max scaler", min_max),
            max_absolute_scaler=("Max absolute scaler", max_absolute),
        ),
    )
)
