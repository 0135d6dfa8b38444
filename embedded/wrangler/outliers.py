"""Handle outliers."""

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from embedded.wrangler.categories import by_frequency
from embedded.wrangler.choices import OperatorFailed, OperatorRefused, col, family, number, require_numeric, still_valid

_QUANTILE_ERROR = 0.001
Limits = tuple[float, float]


def min_max(
    table: DataFrame,
    input_column: str,
    lower_threshold: Any,
    upper_threshold: Any,
    fix_method: str = "Clip",
    output_column: str | None = None,
) -> DataFrame:
    """Mend what lies outside two given limits."""
    require_numeric(table, input_column)
    limits = number(lower_threshold, "lower_threshold"), number(upper_threshold, "upper_threshold")
    return _fixed(table, input_column, output_column, fix_method, limits)


def standard_deviation(
    table: DataFrame,
    input_column: str,
    standard_deviations: Any = 4.0,
    fix_method: str = "Clip",
    output_column: str | None = None,
    learnt: Any = None,
) -> DataFrame:
    """Mend what lies further from the mean than so many standard deviations."""
    require_numeric(table, input_column)
    used = {"standard_deviations": standard_deviations, "fix_method": fix_method}
    width = number(standard_deviations, "standard_deviations")
    limits = _learnt_limits(still_valid(learnt, used)) or _around_mean(_finite(table, input_column), width)
    return _fixed(table, input_column, output_column, fix_method, limits)


def robust_standard_deviation(
    table: DataFrame,
    input_column: str,
    lower_quantile: Any = 0.25,
    upper_quantile: Any = 0.75,
    standard_deviations: Any = 4.0,
    fix_method: str = "Clip",
    output_column: str | None = None,
    learnt: Any = None,
) -> DataFrame:
    """As by standard deviations, but those of the values between two quantiles."""
    require_numeric(table, input_column)
    low, high = number(lower_quantile, "lower_quantile"), number(upper_quantile, "upper_quantile")
    used = {
        "fix_method": fix_method,
        "lower_quantile": low,
        "upper_quantile": high,
        "standard_deviations": standard_deviations,
    }
    limits = _learnt_limits(still_valid(learnt, used))
    if limits is None:
        values = _finite(table, input_column)
        inner_low, inner_high = _quantiles(values, low, high)
        inner = values.where((F.col("value") >= inner_low) & (F.col("value") <= inner_high))
        limits = _around_mean(inner, number(standard_deviations, "standard_deviations"))
    return _fixed(table, input_column, output_column, fix_method, limits)


def quantile(
    table: DataFrame,
    input_column: str,
    lower_quantile: Any = 0.01,
    upper_quantile: Any = 0.99,
    fix_method: str = "Clip",
    output_column: str | None = None,
    learnt: Any = None,
) -> DataFrame:
    """Mend what lies outside two quantiles."""
    require_numeric(table, input_column)
    low, high = number(lower_quantile, "lower_quantile"), number(upper_quantile, "upper_quantile")
    used = {"fix_method": fix_method, "lower_quantile": low, "upper_quantile": high}
    limits = _learnt_limits(still_valid(learnt, used)) or _quantiles(_finite(table, input_column), low, high)
    return _fixed(table, input_column, output_column, fix_method, limits)


def replace_rare(
    table: DataFrame,
    input_column: str,
    replacement_string: str,
    absolute_threshold: Any = 10,
    fraction_threshold: Any = 0.005,
    max_common_categories: Any = 0,
    output_column: str | None = None,
    learnt: Any = None,
) -> DataFrame:
    """Replace categories, and missing ones, that are not more frequent than both thresholds say."""
    absolute, fraction = (
        int(number(absolute_threshold, "absolute_threshold")),
        number(fraction_threshold, "fraction_threshold"),
    )
    most = int(number(max_common_categories, "max_common_categories"))
    used = {
        "replacement_string": replacement_string,
        "absolute_threshold": absolute,
        "fraction_threshold": fraction,
        "max_common_categories": most,
    }
    common = still_valid(learnt, used).get("common_categories")
    if common is None:
        least = max(fraction * table.count(), absolute)
        frequent = by_frequency(table, col(input_column)).where(F.col("count") > least)
        common = [row["value"] for row in (frequent.take(most) if most else frequent.collect())]
    kept = F.when(col(input_column).isin(list(common)), col(input_column)).otherwise(F.lit(replacement_string))
    return table.withColumn(output_column or input_column, kept)


def _finite(table: DataFrame, name: str) -> DataFrame:
    value = col(name).cast("double")
    kept = value.isNotNull() & ~F.isnan(value) & (F.abs(value) != F.lit(float("inf")))
    return table.where(kept).select(value.alias("value"))


def _around_mean(values: DataFrame, width: float) -> Limits:
    mean, deviation = values.select(F.mean("value"), F.stddev("value")).collect()[0]
    if mean is None or deviation is None:
        return 0.0, 0.0
    return mean - width * deviation, mean + width * deviation


def _quantiles(values: DataFrame, low: float, high: float) -> Limits:
    if not (0 <= low <= 1 and 0 <= high <= 1):
        raise OperatorFailed("parameters lower_quantile and upper_quantile must be from 0 to 1")
    found = values.approxQuantile("value", [low, high], _QUANTILE_ERROR)
    return (found[0], found[1]) if len(found) == 2 else (0.0, 0.0)


def _learnt_limits(learnt: Any) -> Limits | None:
    low, high = learnt.get("lower_threshold"), learnt.get("upper_threshold")
    return None if low is None or high is None else (float(low), float(high))


def _fixed(table: DataFrame, name: str, output: str | None, method: str, limits: Limits) -> DataFrame:
    (low, high), value, target = limits, col(name), output or name
    outside = (value < low) | (value > high) | F.isnan(value.cast("double"))
    if method == "Clip":
        nan = F.when(F.isnan(value.cast("double")), F.lit(float("nan")))
        clipped = nan.when(value < low, F.lit(low)).when(value > high, F.lit(high)).otherwise(value.cast("double"))
        return table.withColumn(target, clipped)
    if method == "Remove":
        return table.where((value >= low) & (value <= high)).withColumn(target, value)
    if method == "Invalidate":
        return table.withColumn(target, F.when(outside, None).otherwise(value))
    raise OperatorRefused(f"fix_method {method!r}")


HANDLE_OUTLIERS = family(
    min_max_numeric_outliers=("Min-max numeric outliers", min_max),
    standard_deviation_numeric_outliers=("Standard deviation numeric outliers", standard_deviation),
    robust_standard_deviation_numeric_outliers=(
        "Robust standard deviation numeric outliers",
        robust_standard_deviation,
    ),
    quantile_numeric_outliers=("Quantile numeric outliers", quantile),
    replace_rare_values=("Replace rare values", replace_rare),
)
