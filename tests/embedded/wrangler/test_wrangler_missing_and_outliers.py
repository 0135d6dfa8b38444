"""Missing values and outliers are handled as the container handles them."""

import re
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from embedded.wrangler.drawing import FlowRefused
from tests.embedded.wrangler.drawn import choose, ids, learnt, values


def test_rows_without_a_value_are_dropped(people: DataFrame) -> None:
    def left(parameters: dict[str, Any]) -> list[int]:
        return ids(choose(people, "handle_missing", "Drop missing", "drop_missing", parameters))

    assert left({"input_column": "balance"}) == [1, 4, 5]
    assert left({"input_column": ["balance", "city"]}) == [1, 5]
    assert left({"dimension": "Drop Rows", "drop_rows_parameters": {"input_column": "note"}}) == [2, 4]
    assert left({}) == []


def test_values_are_filled_in_the_columns_own_type(people: DataFrame) -> None:
    def filled(column: str, value: Any, **more: Any) -> DataFrame:
        parameters = {"input_column": column, "fill_value": value, **more}
        return choose(people, "handle_missing", "Fill missing", "fill_missing", parameters)

    assert values(filled("products", "9"), "products") == [3, 4, 9, 3, 3]
    assert dict(filled("products", "9").dtypes)["products"] == "bigint"
    assert values(filled("balance", 0), "balance") == [10.0, 0.0, 0.0, -5.0, 1000.0]
    assert values(filled("note", "·", output_column="n"), "n") == ["·", "x", "·", "y-7", "·"]
    assert values(filled("note", "·", output_column="n"), "note") == values(people, "note")


def test_an_indicator_says_where_a_value_is_missing(people: DataFrame) -> None:
    parameters = {"input_column": ["note", "balance"]}
    table = choose(people, "handle_missing", "Add indicator for missing", "add_indicator_for_missing", parameters)
    assert values(table, "note_indicator") == [True, False, True, False, True]
    assert values(table, "balance_indicator") == [False, True, True, False, False]


def impute(table: DataFrame, kind: str, parameters: dict[str, Any], **more: Any) -> DataFrame:
    given = {"column_type": kind, f"{kind.lower()}_parameters": parameters}
    return choose(table, "handle_missing", "Impute", "impute", given, **more)


def test_numbers_and_categories_are_imputed(people: DataFrame) -> None:
    mean = impute(people, "Numeric", {"input_column": "balance", "strategy": "Mean"})
    assert values(mean, "balance") == [10.0, 335.0, 335.0, -5.0, 1000.0]
    assert mean.columns == people.columns
    median = impute(people, "Numeric", {"input_column": "balance", "strategy": "Approximate Median"})
    assert values(median, "balance") == [10.0, 10.0, 10.0, -5.0, 1000.0]
    mode = impute(people, "Categorical", {"input_column": "city", "output_column": "place"})
    assert values(mode, "place")[3] == "  Köln "  # of values that are equally frequent, the first in order
    with pytest.raises(FlowRefused, match="'city' is not numeric"):
        impute(people, "Numeric", {"input_column": "city", "strategy": "Mean"})


def test_what_studio_learnt_is_used_while_its_parameters_are_the_same(people: DataFrame) -> None:
    def filled(trained: dict[str, Any]) -> Any:
        parameters = {"input_column": "balance", "strategy": "Mean"}
        stored = {"trained_parameters": {"impute_parameters": {"numeric_parameters": trained}}}
        return values(impute(people, "Numeric", parameters, **stored), "balance")[1]

    assert filled(learnt({"strategy": "Mean"}, impute_value=7.5)) == 7.5
    assert filled(learnt({"strategy": "Approximate Median"}, impute_value=7.5)) == 335.0


def outliers(table: DataFrame, choice: str, parameters: dict[str, Any], **more: Any) -> DataFrame:
    key = re.sub(r"[ -]", "_", choice.lower())
    return choose(table, "handle_outliers", choice, key, parameters, **more)


@pytest.mark.parametrize(
    ("method", "left"),
    [
        ("Clip", [10.0, None, "NaN", 0.0, 500.0]),
        ("Invalidate", [10.0, None, None, None, None]),
        ("Remove", [10.0]),
    ],
)
def test_outliers_beyond_given_limits_are_mended(people: DataFrame, method: str, left: list[Any]) -> None:
    limits = {"lower_threshold": "0", "upper_threshold": 500, "fix_method": method}
    table = outliers(people, "Min-max numeric outliers", {"input_column": "balance", **limits})
    assert values(table, "balance") == left


def test_outliers_by_spread_and_quantiles_are_mended(spark: SparkSession) -> None:
    numbers = [(float(n),) for n in range(1, 100)] + [(10_000.0,), (None,)]
    table = spark.createDataFrame(numbers, "n double")

    def highest(choice: str, **parameters: Any) -> float:
        done = outliers(table, choice, {"input_column": "n", "fix_method": "Clip", **parameters})
        return max(value for value in values(done, "n") if value is not None)

    mean, deviation = 149.5, 990.0
    assert highest("Standard deviation numeric outliers", standard_deviations=2) == pytest.approx(
        mean + 2 * deviation, rel=0.01
    )
    assert highest("Quantile numeric outliers", lower_quantile=0.05, upper_quantile=0.9) == 90.0
    robust = highest("Robust standard deviation numeric outliers", standard_deviations=4)
    assert robust == pytest.approx(50.5 + 4 * 14.9, abs=2)


def test_rare_categories_are_replaced_and_so_are_missing_ones(spark: SparkSession) -> None:
    table = spark.createDataFrame([("é",)] * 4 + [("ß",)] * 2 + [("œ",), (None,)], "t string")
    given = {"input_column": "t", "replacement_string": "other", "absolute_threshold": 1, "fraction_threshold": 0.1}
    done = outliers(table, "Replace rare values", given)
    assert values(done, "t") == ["é"] * 4 + ["ß"] * 2 + ["other"] * 2
    one = outliers(table, "Replace rare values", {**given, "max_common_categories": 1})
    assert values(one, "t") == ["é"] * 4 + ["other"] * 4
