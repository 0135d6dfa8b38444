"""What every reader promises, whatever it reads."""

from datetime import date
from typing import Any

import pytest
from pyspark.sql import functions as F

from pipeline_scripts.etl.errors import SourceRefused
from pipeline_scripts.etl.schema import SPARK_TYPES
from pipeline_scripts.etl.sources.source import EVERYTHING, PROBLEM, Window
from tests.runtime.etl.sources.conftest import KINDS
from tests.runtime.etl.sources.stages import COLUMNS, Stage, moment, read, row

every_kind = pytest.mark.parametrize("stage", KINDS, indirect=True)
with_fields = pytest.mark.parametrize("stage", ["postgresql", "mariadb", "dynamodb", "mongodb", "redis"], indirect=True)
with_types = pytest.mark.parametrize(
    "stage", ["postgresql", "mariadb", "dynamodb", "mongodb", "parquet"], indirect=True
)
with_text = pytest.mark.parametrize("stage", ["redis", "csv", "json"], indirect=True)


@every_kind
@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_every_row_is_read_once_however_many_partitions(stage: Stage, partitions: int) -> None:
    rows = [row(number) for number in range(1, 24)]
    stage.fill(rows)
    assert read(stage.source(partitions=partitions).read(EVERYTHING)) == rows


@every_kind
def test_columns_are_the_declared_ones_at_their_types_and_the_problem(stage: Stage) -> None:
    stage.fill([row(1)])
    frame = stage.source().read(EVERYTHING)
    found = {name: kind for name, kind in frame.dtypes if name != "_id"}
    assert found == {name: SPARK_TYPES[column["type"]] for name, column in COLUMNS.items()} | {PROBLEM: "string"}


@every_kind
def test_absent_and_null_values_are_null(stage: Stage) -> None:
    rows = [row(1, NAME=None, BORN=None), row(2, BALANCE=None, ACTIVE=None), row(3)]
    partial = [rows[0], {name: value for name, value in rows[1].items() if value is not None}, rows[2]]
    stage.fill(partial)
    assert read(stage.source().read(EVERYTHING)) == rows


@every_kind
def test_text_arrives_as_it_is(stage: Stage) -> None:
    names = ["Łódź, 東京", 'Bo "B" O\'Neill; jr', "two\nlines", "tab\there \\ \\n", "🏦 ﷽ e\u0301", " spaces "]
    rows = [row(number, NAME=name) for number, name in enumerate(names, 1)]
    stage.fill(rows)
    assert read(stage.source().read(EVERYTHING)) == rows


@every_kind
def test_undeclared_and_missing_columns_are_refused_by_name(stage: Stage) -> None:
    stage.fill([{**row(number), "SALARY": "much"} for number in range(1, 6)])
    columns = {**COLUMNS, "SCORE": {"type": "integer", "treatment": "drop"}}
    with pytest.raises(SourceRefused) as refusal:
        stage.source(columns).read(EVERYTHING)
    # PostgreSQL folds the case of names.
    assert "salary: the source has this column and the model does not declare it" in str(refusal.value).lower()
    assert "SCORE: declared, but the source has it not" in str(refusal.value)
    assert "much" not in str(refusal.value)


@with_types
def test_column_of_another_type_is_refused_by_name(stage: Stage) -> None:
    stage.fill([row(number, BALANCE="12.5", ACTIVE=1) for number in range(1, 9)])
    with pytest.raises(SourceRefused) as refusal:
        stage.source().read(EVERYTHING)
    assert "BALANCE: declared as double, but the source has" in str(refusal.value)
    assert "ACTIVE: declared as boolean, but the source has" in str(refusal.value)
    assert "12.5" not in str(refusal.value)


@with_text
def test_value_that_is_not_of_its_type_makes_its_row_a_problem(stage: Stage) -> None:
    faulty = row(1, BALANCE="a lot", BORN="1.2.1950", CHANGED="noon")
    stage.fill([faulty, row(2)])
    frame = stage.source().read(EVERYTHING)
    (problem,) = frame.filter(F.col(PROBLEM).isNotNull()).collect()
    assert problem["BALANCE"] is problem["BORN"] is problem["CHANGED"] is None
    assert [part.partition(":")[0] for part in problem[PROBLEM].split("; ")] == ["BORN", "BALANCE", "CHANGED"]
    assert not any(value in problem[PROBLEM] for value in ("a lot", "1.2.1950", "noon"))
    assert read(frame.filter(F.col(PROBLEM).isNull())) == [row(2)]


@with_fields
def test_window_holds_both_of_its_ends_and_rows_without_a_watermark(stage: Stage) -> None:
    rows = [row(day, CHANGED=moment(day, 12)) for day in range(1, 9)]
    stage.fill([*rows, row(9, CHANGED=None), {name: value for name, value in row(10).items() if name != "CHANGED"}])
    source = stage.source()
    timeless = [row(9, CHANGED=None), row(10, CHANGED=None)]
    window = Window(low=moment(3, 12), high=moment(6, 12))
    assert read(source.read(window)) == [*rows[2:6], *timeless]
    assert read(source.read(Window(low=moment(3, 13)))) == [*rows[3:], *timeless]
    assert read(source.read(Window(high=moment(6, 11)))) == [*rows[:5], *timeless]


@with_fields
@pytest.mark.parametrize(
    ("watermark", "window", "expected"),
    [
        ("ID", Window(low=3, high=5), [3, 4, 5]),
        ("ID", Window(low=5), [5, 6, 7]),
        ("BORN", Window(low=date(1953, 4, 4), high=date(1955, 6, 6)), [3, 4, 5]),
        ("BORN", Window(high=date(1952, 3, 3)), [1, 2]),
    ],
)
def test_window_of_numbers_and_of_dates(stage: Stage, watermark: str, window: Window, expected: list[int]) -> None:
    stage.fill([row(number) for number in range(1, 8)])
    found = read(stage.source(watermark=watermark).read(window))
    assert [item["ID"] for item in found] == expected


@with_fields
@pytest.mark.parametrize(("watermark", "newest"), [("ID", 7), ("BORN", date(1957, 8, 8)), ("CHANGED", moment(8, 7))])
def test_newest_is_the_largest_watermark(stage: Stage, watermark: str, newest: Any) -> None:
    stage.fill([row(number) for number in (3, 7, 1, 6)] + ([row(2, BORN=None, CHANGED=None)]))
    found = stage.source(watermark=watermark).newest()
    assert found is not None
    assert (found.astimezone(newest.tzinfo) if watermark == "CHANGED" else found) == newest  # type: ignore[union-attr]


@every_kind
def test_newest_of_a_model_without_a_watermark_is_none(stage: Stage) -> None:
    stage.fill([row(1)])
    assert stage.source(watermark=None).newest() is None


@with_fields
def test_source_without_rows_has_no_newest_and_gives_no_row(stage: Stage) -> None:
    stage.fill([])
    assert stage.source().newest() is None
    assert stage.source().read(EVERYTHING).count() == 0


@with_fields
def test_window_whose_few_rows_leave_out_a_field_is_no_missing_column(stage: Stage) -> None:
    stage.fill([row(1, CHANGED=moment(1)), {**row(2, CHANGED=moment(9)), "NAME": None}])
    frame = stage.source().read(Window(low=moment(8)))
    assert [(item["ID"], item["NAME"]) for item in frame.collect()] == [(2, None)]
