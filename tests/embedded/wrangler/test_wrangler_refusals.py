"""What is not run here is refused by its name, and what is run here is documented."""

import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from embedded.wrangler.drawing import FlowRefused, read_source
from embedded.wrangler.registry import OPERATORS, listing
from tests.embedded.wrangler.drawn import run

ROOT = Path(__file__).parents[3]


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


def test_the_document_lists_exactly_what_is_run() -> None:
    listed: dict[str, tuple[str, ...]] = {}
    document = (ROOT / "docs" / "data-wrangler.md").read_text(encoding="utf-8")
    for name, transforms in re.findall(r"^\| `(sagemaker\.spark\.[a-z_0-9.]+)` \| (.*) \|$", document, re.MULTILINE):
        listed[name] = tuple(part for part in transforms.split("; ") if part)
    assert listed == {name: transforms or ("the whole operator",) for name, transforms in listing().items()}
    assert listed.keys() == OPERATORS.keys()
