"""Rows that break a rule are told with the reason; a run is judged by its data set and by how many it rejected."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline_scripts.etl.quality import REASON, row_reason, with_reasons
from pipeline_scripts.etl.verdict import Verdict, judge
from pipeline_scripts.model import Model
from tests.runtime.etl.rules import SCHEMA, model_with

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
Row = tuple[Any, ...]


def rows_of(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Rows with the columns that a test speaks of; the others are missing."""
    names = [field.split()[0] for field in SCHEMA.split(", ")]
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], SCHEMA)


def reasons(frame: DataFrame, model: Model) -> list[str | None]:
    return [row[0] for row in with_reasons(frame, model).orderBy("ref").select(REASON).collect()]


def verdict(spark: SparkSession, model: Model, *rows: dict[str, Any], **changed: Any) -> Verdict:
    given: dict[str, Any] = {"rejected_by_reason": {}, "rows": len(rows), "previous_rows": None, "now": NOW, **changed}
    return judge(accepted=rows_of(spark, *rows), model=model, **given)


def test_a_row_is_told_the_first_rule_it_breaks_and_never_a_value(spark: SparkSession) -> None:
    model = model_with(
        {"check": "complete", "column": "score"},
        {"check": "range", "column": "score", "min": 300, "max": 850},
        {"check": "one_of", "column": "gender", "values": ["Female", "Male"]},
    )
    frame = rows_of(
        spark,
        {"ref": 1, "score": 300, "gender": "Female"},
        {"ref": 2, "score": 299, "gender": "nobody"},
        {"ref": 3, "score": 851, "gender": "Male"},
        {"ref": 4, "score": 850, "gender": "male"},
        {"ref": 5, "score": None, "gender": None},
        {"ref": 6, "score": 850, "gender": None},
    )
    assert reasons(frame, model) == [
        None,
        "score: below 300",
        "score: above 850",
        "gender: not one of the declared values",
        "score: missing",
        None,
    ]


def test_a_missing_value_breaks_no_rule_but_complete(spark: SparkSession) -> None:
    model = model_with(
        {"check": "range", "column": "amount", "min": 0},
        {"check": "one_of", "column": "gender", "values": ["x"]},
        {"check": "unique", "column": "gender"},
    )
    assert reasons(rows_of(spark, {"ref": 1}, {"ref": 2}), model) == [None, None]


def test_what_is_no_number_is_in_no_range(spark: SparkSession) -> None:
    model = model_with({"check": "range", "column": "amount", "min": 0.5})
    amounts = [float("nan"), 0.5, float("inf"), -0.0]
    frame = rows_of(spark, *({"ref": ref, "amount": amount} for ref, amount in enumerate(amounts)))
    assert reasons(frame, model) == ["amount: not a number", None, None, "amount: below 0.5"]


def test_all_rows_that_share_a_value_are_rejected_and_none_is_lost_or_doubled(spark: SparkSession) -> None:
    model = model_with({"check": "unique", "column": "gender"}, {"check": "unique", "column": "score"})
    shared, other = "gender: stands in more than one row", "score: stands in more than one row"
    frame = rows_of(
        spark,
        {"ref": 1, "gender": "a", "score": 1},
        {"ref": 2, "gender": "a", "score": 1},
        {"ref": 3, "gender": "b", "score": 1},
        {"ref": 4, "gender": "A", "score": 2},
    )
    assert reasons(frame, model) == [shared, shared, other, None]
    assert with_reasons(frame, model).columns == [*frame.columns, REASON]


def test_without_a_unique_column_nothing_is_aggregated(spark: SparkSession) -> None:
    def plan(*rules: dict[str, Any]) -> str:
        frame: Any = with_reasons(rows_of(spark, {"ref": 1}), model_with(*rules))
        return str(frame._jdf.queryExecution().toString())

    without = plan({"check": "range", "column": "score", "min": 1}, {"check": "row_count"})
    assert "Join" not in without and "Aggregate" not in without
    assert "Aggregate" in plan({"check": "unique", "column": "ref"})


def test_a_model_without_row_rules_rejects_nothing(spark: SparkSession) -> None:
    model = model_with({"check": "row_count"})
    assert row_reason(model) is None
    assert reasons(rows_of(spark, {"ref": 1}), model) == [None]


@pytest.mark.parametrize(
    ("rule", "outcome", "detail"),
    [
        ({"check": "complete", "column": "gender", "at_least": 0.5}, "PASS", "1 of 2 rows have a value"),
        ({"check": "complete", "column": "gender", "at_least": 0.51}, "FAIL", "1 of 2 rows have a value"),
        ({"check": "fresh", "column": "at", "within_hours": 24}, "PASS", "the newest is 24.0 h old"),
        ({"check": "fresh", "column": "at", "within_hours": 23}, "FAIL", "the newest is 24.0 h old"),
        ({"check": "fresh", "column": "day", "within_hours": 12}, "PASS", "the newest is 12.0 h old"),
        ({"check": "row_count", "min": 2, "max": 2}, "PASS", "2 rows"),
        ({"check": "row_count", "min": 3}, "FAIL", "2 rows"),
        ({"check": "row_count", "max": 1}, "FAIL", "2 rows"),
        ({"check": "row_count_change", "at_most": 0.5}, "PASS", "2 rows after 4, a change of -50.0%"),
        ({"check": "row_count_change", "at_most": 0.4}, "FAIL", "2 rows after 4, a change of -50.0%"),
    ],
    ids=str,
)
def test_the_data_set_is_judged_and_a_failure_stops_the_run(
    spark: SparkSession, rule: dict[str, Any], outcome: str, detail: str
) -> None:
    rows = [
        {"ref": 1, "gender": "x", "at": NOW - timedelta(hours=24), "day": NOW.date()},
        {"ref": 2, "at": NOW - timedelta(days=9)},
    ]
    found = verdict(spark, model_with(rule), *rows, previous_rows=4)
    [result] = found.results
    assert (result["outcome"], result["detail"], result["failed_rows"]) == (outcome, detail, 0)
    assert found.stops == ([] if outcome == "PASS" else [f"{result['rule']}: {detail}"])


def test_a_column_without_any_value_is_not_fresh(spark: SparkSession) -> None:
    found = verdict(spark, model_with({"check": "fresh", "column": "at", "within_hours": 1}), {"ref": 1})
    assert found.stops == ["fresh at within 1 h: no row has a value"]


def test_before_the_first_version_a_change_of_the_row_count_passes_and_says_so(spark: SparkSession) -> None:
    found = verdict(spark, model_with({"check": "row_count_change", "at_most": 0.1}), {"ref": 1})
    assert found.stops == []
    assert found.results == [
        {
            "rule": "row_count_change at most 0.1",
            "outcome": "PASS",
            "detail": "1 rows, and no version before to compare with",
            "failed_rows": 0,
        }
    ]


def test_rejected_rows_fail_their_rule_and_stop_the_run_only_above_the_threshold(spark: SparkSession) -> None:
    model = model_with({"check": "range", "column": "score", "min": 300, "max": 850}, max_rejected_fraction=0.2)
    rejected = {"score: below 300": 1, "score: above 850": 1}
    within = verdict(spark, model, {"ref": 1}, rejected_by_reason=rejected, rows=10)
    assert within.stops == []
    assert within.results == [
        {"rule": "range score 300..850", "outcome": "FAIL", "detail": "2 row(s) rejected", "failed_rows": 2}
    ]
    beyond = verdict(spark, model, {"ref": 1}, rejected_by_reason={**rejected, "cannot be read": 3}, rows=10)
    assert beyond.stops == [
        "5 of 10 rows were rejected, more than max_rejected_fraction 0.2 allows: cannot be read (3), "
        "score: above 850 (1), score: below 300 (1); mend the source, or the rules under quality"
    ]


def test_the_data_set_is_read_once_for_all_rules_and_not_at_all_for_none(spark: SparkSession) -> None:
    tracker = spark.sparkContext.statusTracker()

    def jobs(*rules: dict[str, Any]) -> int:
        group = f"quality-{len(rules)}"
        frame = rows_of(spark, {"ref": 1, "at": NOW})
        spark.sparkContext.setJobGroup(group, "counted")
        judge(accepted=frame, rejected_by_reason={}, rows=1, previous_rows=1, now=NOW, model=model_with(*rules))
        return len(tracker.getJobIdsForGroup(group))

    assert jobs({"check": "range", "column": "score", "min": 1}) == 0
    one = jobs({"check": "row_count"}, {"check": "row_count_change", "at_most": 1})
    many = jobs(
        {"check": "row_count"},
        {"check": "row_count_change", "at_most": 1},
        {"check": "fresh", "column": "at", "within_hours": 1},
        {"check": "complete", "column": "gender", "at_least": 0.1},
    )
    assert one == many > 0
