"""Which personal values of the source are found in what was written."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline_scripts.etl.leaks import find_leaks, find_patterns
from pipeline_scripts.model import Model
from tests.runtime.etl.workbench import model_of

COLUMNS: dict[str, dict[str, Any]] = {
    "ID": {"type": "integer", "treatment": "surrogate", "output": "ref"},
    "NAME": {"type": "string", "treatment": "drop"},
    "EMAIL": {"type": "string", "treatment": "keyed_hash", "output": "email_hash"},
    "NOTE": {"type": "string", "treatment": "keep", "output": "note"},
}
FREE = COLUMNS | {"NOTE": COLUMNS["NOTE"] | {"free_text": True}}
PEOPLE = [
    (70_001_234, "Ada Lindqvist", "ada@mail.example"),
    (70_001_235, "José van der Berg", "jose.berg@mail.example"),
    (70_001_236, "Young", "young@mail.example"),
    (70_001_237, "12 Rue de Lyon, 69001 Villeurbanne", None),  # an address is looked for as any text is
]


@pytest.fixture(scope="module")
def source(spark: SparkSession) -> DataFrame:
    schema = "ID bigint, NAME string, EMAIL string, NOTE string"
    return spark.createDataFrame([(*person, "x") for person in PEOPLE], schema)


def found(spark: SparkSession, source: DataFrame, note: str | None, *, columns: dict[str, Any] = FREE) -> list[str]:
    """The source's columns whose values the check finds in a note."""
    output = spark.createDataFrame([(1, "a" * 64, note)], "ref bigint, email_hash string, note string")
    problems = find_leaks(source=source, output=output, model=model_of(columns))
    assert not any(str(value) in problem for problem in problems for person in PEOPLE for value in person[:2])
    return [problem.split(" value(s) of ")[1].split(";")[0] for problem in problems]


@pytest.mark.parametrize(
    ("note", "columns"),
    [
        ("Ada Lindqvist", ["NAME"]),
        ("spoke with ada LINDQVIST, who agreed.", ["NAME"]),
        ("(José van der Berg) called", ["NAME"]),
        ("write to <jose.berg@mail.example>!", ["EMAIL"]),
        ("customer 70001236: closed", ["ID"]),
        ("Ada Lindqvist has 70001234 and ada@mail.example", ["EMAIL", "ID", "NAME"]),
        ("Young", ["NAME"]),  # the whole of a text is always compared
        ("a young family", []),  # a single common word inside one tells nothing
        ("Ada and Lindqvist", []),
        ("Lindqvist, Ada", []),
        ("moved to 12 rue de Lyon, 69001 Villeurbanne.", ["NAME"]),
        ("", []),
        (None, []),
    ],
)
def test_values_are_found_inside_free_text(
    spark: SparkSession, source: DataFrame, note: str | None, columns: list[str]
) -> None:
    assert sorted(found(spark, source, note)) == columns


def test_a_text_that_is_not_free_is_compared_as_a_whole(spark: SparkSession, source: DataFrame) -> None:
    assert found(spark, source, "Ada Lindqvist", columns=COLUMNS) == ["NAME"]
    assert found(spark, source, "spoke with Ada Lindqvist", columns=COLUMNS) == []


def test_a_column_of_hashes_holds_hashes_alone(spark: SparkSession, source: DataFrame) -> None:
    output = spark.createDataFrame([(1, "ada@mail.example", None)], "ref bigint, email_hash string, note string")
    [problem] = find_leaks(source=source, output=output, model=model_of(COLUMNS))
    assert problem == "email_hash: holds 1 value(s) that are no hash; run the job again"


def test_many_written_values_are_met_half_way(
    spark: SparkSession, source: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_scripts.etl.leaks.BROADCAST_ROWS", 0)
    assert found(spark, source, "spoke with Ada Lindqvist") == ["NAME"]


def allowing(*kinds: str) -> Model:
    return model_of(COLUMNS | {"NOTE": COLUMNS["NOTE"] | {"may_look_like": list(kinds)}})


def test_a_pattern_that_a_column_may_look_like_is_let_through_and_no_other(spark: SparkSession) -> None:
    card, mail = "4111 1111 1111 1111", "eve@mail.example"
    output = spark.createDataFrame([(card,), (mail,)], "note string")
    both = find_patterns(output=output, model=allowing())
    assert [problem.split(" personal ")[1].split(";")[0] for problem in both] == [
        "e-mail address",
        "payment card number",
    ]
    assert "may_look_like" in both[0]
    [left] = find_patterns(output=output, model=allowing("payment_card"))
    assert "e-mail address" in left
    assert find_patterns(output=output, model=allowing("payment_card", "email")) == []
