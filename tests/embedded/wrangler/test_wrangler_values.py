"""Texts, categories, numbers and types are changed as the container changes them."""

import re
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from embedded.wrangler.drawing import FlowRefused
from tests.embedded.wrangler.drawn import choose, run, values


@pytest.mark.parametrize(
    ("choice", "parameters", "expected"),
    [
        ("Lower case", {}, ["łódź", "  köln ", "東京", None, "köln"]),
        ("Upper case", {}, ["ŁÓDŹ", "  KÖLN ", "東京", None, "KÖLN"]),
        ("Title case", {}, ["Łódź", "  Köln ", "東京", None, "Köln"]),
        ("Capitalize", {}, ["Łódź", "  köln ", "東京", None, "Köln"]),
        ("Swap case", {}, ["łÓDŹ", "  kÖLN ", "東京", None, "kÖLN"]),
        ("Left pad", {"width": "5", "fill_character": "·"}, ["·Łódź", "  Köl", "···東京", None, "·Köln"]),
        ("Right pad", {"width": 5, "fill_character": "·"}, ["Łódź·", "  Köl", "東京···", None, "Köln·"]),
        ("Center (pad on either side)", {"width": 6}, [" Łódź ", "  Köln ", "  東京  ", None, " Köln "]),
        ("Strip characters from left", {"characters_to_remove": " Ł"}, ["ódź", "Köln ", "東京", None, "Köln"]),
        ("Strip characters from right", {}, ["Łódź", "  Köln", "東京", None, "Köln"]),
        ("Strip left and right", {}, ["Łódź", "Köln", "東京", None, "Köln"]),
        ("Prepend zeros", {"width": 5}, ["0Łódź", "  Köl", "000東京", None, "0Köln"]),
        ("Add prefix", {"prefix": "à "}, ["à Łódź", "à   Köln ", "à 東京", None, "à Köln"]),
        ("Add suffix", {"suffix": "!"}, ["Łódź!", "  Köln !", "東京!", None, "Köln!"]),
        ("Remove symbols", {"symbols": "ód-"}, ["Łź", "  Köln ", "東京", None, "Köln"]),
    ],
)
def test_texts_are_formatted(people: DataFrame, choice: str, parameters: dict[str, Any], expected: list[Any]) -> None:
    key = re.sub(r"[^a-z]+", "_", choice.lower()).strip("_")
    table = choose(people, "format_string", choice, key, {"input_column": "city", **parameters})
    assert values(table, "city") == expected


@pytest.mark.parametrize(
    ("choice", "key", "parameters", "expected"),
    [
        (
            "Find and replace substring",
            "find_and_replace_substring",
            {"pattern": "[öó]", "replacement": "o"},
            ["Łodź", "  Koln ", "東京", None, "Koln"],
        ),
        (
            "Find and replace substring",
            "find_and_replace_substring",
            {"pattern": "Köln"},
            ["Łódź", "   ", "東京", None, ""],
        ),
        ("Extract using regex", "extract_using_regex", {"pattern": "(.)ln"}, ["", "ö", "", None, "ö"]),
        (
            "Extract between delimiters",
            "extract_between_delimiters",
            {"left_delimiter": "K", "right_delimiter": "n"},
            ["", "öl", "", None, "öl"],
        ),
        (
            "Extract from position",
            "extract_from_position",
            {"start_position": 1, "length": "2"},
            ["Łó", "  ", "東京", None, "Kö"],
        ),
        (
            "Convert regex to missing",
            "convert_regex_to_missing",
            {"pattern": "K.*"},
            ["Łódź", "  Köln ", "東京", None, None],
        ),
        (
            "Convert non-matches to missing",
            "convert_non_matches_to_missing",
            {"pattern": "K.*"},
            [None, None, None, None, "Köln"],
        ),
    ],
)
def test_texts_are_searched_and_edited(
    people: DataFrame, choice: str, key: str, parameters: dict[str, Any], expected: list[Any]
) -> None:
    table = choose(people, "search_and_edit", choice, key, {"input_column": "city", **parameters})
    assert values(table, "city") == expected


@pytest.fixture
def letters(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([("b",), ("ä",), ("b",), (None,), ("a",)], "t string")


def test_categories_become_places_by_frequency_then_name(letters: DataFrame) -> None:
    def encoded(strategy: str) -> list[Any]:
        parameters = {"input_column": "t", "invalid_handling_strategy": strategy}
        return values(choose(letters, "encode_categorical", "Ordinal encode", "ordinal_encode", parameters), "t")

    assert encoded("Keep") == [0.0, 2.0, 0.0, 3.0, 1.0]
    assert encoded("Skip") == [0.0, 2.0, 0.0, 1.0]
    assert encoded("Replace with NaN") == [0.0, 2.0, 0.0, "NaN", 1.0]
    with pytest.raises(FlowRefused, match="'t' has missing values"):
        encoded("Error")


def test_categories_become_columns_of_ones_and_zeros(letters: DataFrame) -> None:
    style = {"invalid_handling_strategy": "Keep", "drop_last": False, "output_style": "Columns"}
    table = choose(letters, "encode_categorical", "One-hot encode", "one_hot_encode", {"input_column": "t", **style})
    assert table.columns == ["t_b", "t_a", "t_ä"]
    assert [tuple(row) for row in table.collect()] == [(1, 0, 0), (0, 0, 1), (1, 0, 0), (0, 0, 0), (0, 1, 0)]


@pytest.mark.parametrize(
    ("scaler", "parameters", "expected"),
    [
        ("Min-max scaler", {"min": -1, "max": "1"}, [-1.0, 0.0, 1.0, "NaN"]),
        ("Max absolute scaler", {}, [-0.5, 0.25, 1.0, "NaN"]),
        ("Standard scaler", {"center": True, "scale": False}, [-3.0, 0.0, 3.0, "NaN"]),
        ("Standard scaler", {}, [-2 / 3, 1 / 3, 4 / 3, "NaN"]),
        ("Robust scaler", {"center": True, "lower_quantile": 0.01, "upper_quantile": 0.99}, [-0.5, 0.0, 0.5, "NaN"]),
    ],
)
def test_numbers_are_scaled(spark: SparkSession, scaler: str, parameters: dict[str, Any], expected: list[Any]) -> None:
    table = spark.createDataFrame([(-2,), (1,), (4,), (None,)], "`n.ü` long")
    key = re.sub(r"[ -]", "_", scaler.lower())
    given = {"scaler": scaler, f"{key}_parameters": {"input_column": "n.ü", **parameters}}
    done = values(choose(table, "process_numeric", "Scale values", "scale_values", given), "n.ü")
    assert done[3] == expected[3]
    assert done[:3] == pytest.approx(expected[:3])


def test_types_are_inferred_from_texts_or_taken_from_the_flow(spark: SparkSession) -> None:
    rows = [
        ("1", "1.5", "true", "2024-02-29", "ä"),
        ("2", "x", "False", None, "1"),
        *[("3", "2.5", "TRUE", "", "b")] * 9,
    ]
    table = spark.createDataFrame(rows, "l string, f string, b string, d string, t string")
    inferred = run(table, "infer_and_cast_type", {})
    assert dict(inferred.dtypes) == {"l": "bigint", "f": "double", "b": "boolean", "d": "date", "t": "string"}
    assert values(inferred, "f")[:2] == [1.5, None]

    schema = {name: "string" for name in table.columns}
    told = run(table, "infer_and_cast_type", {}, trained_parameters={"schema": {**schema, "l": "float"}})
    assert dict(told.dtypes)["l"] == "double" and dict(told.dtypes)["f"] == "string"
    with pytest.raises(FlowRefused, match="differ in column 'new'"):
        run(table, "infer_and_cast_type", {}, trained_parameters={"schema": {**schema, "new": "long"}})


def test_texts_that_look_like_times_are_refused_by_name(spark: SparkSession) -> None:
    table = spark.createDataFrame([("2024-01-01 10:00",), ("2024-01-02 11:30",)], "seen string")
    with pytest.raises(FlowRefused, match="casting 'seen' to datetime is not run by embedded AWS"):
        run(table, "infer_and_cast_type", {})


def test_one_column_is_cast_and_what_cannot_be_is_handled(spark: SparkSession) -> None:
    table = spark.createDataFrame([("1", "28-02-2024"), ("foo", None)], "t string, d string")

    def cast(column: str, kind: str, **more: Any) -> list[Any]:
        return values(run(table, "cast_single_data_type", {"column": column, "data_type": kind, **more}), column)

    assert cast("t", "long") == [1, None]
    assert cast("t", "long", non_castable_data_handling_method="replace_value", replace_value="0") == [1, 0]
    assert cast("t", "long", non_castable_data_handling_method="drop") == [1]
    assert [str(value) for value in cast("d", "date")] == ["2024-02-28", "None"]


def test_a_formula_is_sparks_own(people: DataFrame) -> None:
    formula = "CASE WHEN city LIKE '%Köln%' THEN products * 2 ELSE id % 2 END"
    table = run(people, "custom_formula", {"formula": formula, "output_column": "out"})
    assert values(table, "out") == [1, 8, 1, 0, 6]
    with pytest.raises(FlowRefused, match=r"parameter formula: .*UNRESOLVED_COLUMN"):
        run(people, "custom_formula", {"formula": "salary + 1", "output_column": "out"})
    with pytest.raises(FlowRefused, match="function reflect is not run by embedded AWS"):
        run(people, "custom_formula", {"formula": "reflect('java.lang.System', 'exit')", "output_column": "out"})
