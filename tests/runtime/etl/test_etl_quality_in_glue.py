"""One rule, one meaning: what Spark finds before publication is what Glue's ruleset finds after it.

The ruleset's text is evaluated by embedded AWS on the Parquet files that Spark wrote. Its SQL is also run by Spark, for
Glue is Spark.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from baton.etl.dqdl import ruleset_of
from embedded.quality.dqdl import Rule, parse
from embedded.quality.evaluation import Evaluation
from pipeline_scripts.etl.quality import REASON, row_reason, with_reasons
from pipeline_scripts.etl.verdict import judge
from tests.runtime.etl.rules import SCHEMA, model_with, specification_with

SQL_ROWS = 3
NOW = datetime.now(timezone.utc)
AWKWARD = ["", " ", "a", "A", "a ", "O'Neill", 'say "a"', "a\\b", '\\"', "Köln", "東京", "😀", "2026-01-01", "10:15"]
AWKWARD += ["NULL", "null", "EMPTY", "a\nb", "#a", "]", ",", "%", "$a", "{}", "'"]
NUMBERS = [-(2**53), -1, 0, 1, 2, 300, 2**53 - 1, 2**53, 2**62]
AMOUNTS = [float("nan"), float("inf"), float("-inf"), -0.0, 0.0, 0.1, 0.3, 0.5, 1e-300, 1e20, 300.0]

texts = st.sampled_from(AWKWARD) | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=3)
wholes = st.sampled_from([number for number in NUMBERS if abs(number) < 2**53])
bounds = wholes | st.sampled_from([-0.5, 0.1, 0.3, 0.5, 1e-300, 299.999])
# Half an hour from the bounds of every rule, for three clocks are read one after another.
moments = st.integers(0, 60).map(lambda hours: NOW - timedelta(hours=hours, minutes=30))
days = st.integers(0, 3).map(lambda days: NOW.date() - timedelta(days=days))
rows = st.lists(
    st.tuples(
        st.none() | st.integers(0, 3),
        st.none() | st.sampled_from(NUMBERS),
        st.none() | st.sampled_from(AMOUNTS),
        st.none() | texts,
        st.none() | days,
        st.none() | moments,
    ),
    min_size=1,
    max_size=5,
)


def a_range(column: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(bounds, min_size=2, max_size=2).map(
        lambda pair: {"check": "range", "column": column, "min": min(pair), "max": max(pair)}
    )


row_rules = st.one_of(
    st.sampled_from(["score", "gender", "day"]).map(lambda column: {"check": "complete", "column": column}),
    a_range("score"),
    a_range("amount"),
    bounds.map(lambda bound: {"check": "range", "column": "ref", "min": bound}),
    st.lists(texts, min_size=1, max_size=3).map(lambda v: {"check": "one_of", "column": "gender", "values": v}),
    st.lists(wholes, min_size=1, max_size=3).map(lambda v: {"check": "one_of", "column": "score", "values": v}),
)
data_set_rules = st.tuples(
    st.floats(0.01, 0.99).map(lambda share: {"check": "complete", "column": "amount", "at_least": share}),
    st.integers(1, 60).map(lambda hours: {"check": "fresh", "column": "at", "within_hours": hours}),
    st.tuples(st.integers(1, 6), st.none() | st.integers(6, 9)).map(
        lambda pair: {"check": "row_count", "min": pair[0], "max": pair[1]}
    ),
).map(list)
Rules = list[dict[str, Any]]


def written(spark: SparkSession, table: list[tuple[Any, ...]], folder: Path) -> DataFrame:
    """The table as a version of a data set, and as Spark reads it back."""
    spark.createDataFrame(table, SCHEMA).coalesce(1).write.mode("overwrite").parquet(str(folder))
    return spark.read.schema(SCHEMA).parquet(str(folder))


def rows_hold(frame: DataFrame, rules: Rules) -> list[bool]:
    """Whether each rule, alone, rejects no row."""
    reasons = [row_reason(model_with(rule)) for rule in rules]
    [broken] = frame.agg(*(F.count(reason) for reason in reasons if reason is not None)).collect()
    return [count == 0 for count in broken]


def unique_holds(frame: DataFrame, column: str) -> bool:
    """Whether no row is rejected for sharing its value."""
    told = with_reasons(frame, model_with({"check": "unique", "column": column}))
    return told.where(F.col(REASON).isNotNull()).count() == 0


def data_set_holds(frame: DataFrame, rules: Rules) -> list[bool]:
    """Whether each rule lets the run go on."""
    model = model_with(*rules)
    verdict = judge(accepted=frame, rejected_by_reason={}, rows=1, previous_rows=None, now=NOW, model=model)
    return [result["outcome"] == "PASS" for result in verdict.results]


def rulesets_of(rules: Rules) -> list[str]:
    """Each rule as a ruleset of its own."""
    return [str(ruleset_of(specification_with(rule))) for rule in rules]


def in_glue(folder: Path, rulesets: list[str]) -> list[bool]:
    """Whether each ruleset holds in what Spark has written."""
    with duckdb.connect() as connection:
        connection.read_parquet(f"{folder}/*.parquet").create_view("primary")
        evaluation = Evaluation(connection, now=NOW)
        outcomes = [outcome for ruleset in rulesets for outcome in evaluation.judge(parse(ruleset))]
    assert [outcome.message for outcome in outcomes if outcome.result == "ERROR"] == []
    return [outcome.result == "PASS" for outcome in outcomes]


def in_sparks_sql(frame: DataFrame, rulesets: list[str]) -> dict[int, bool]:
    """Whether those rules hold that are SQL, by their place: run as Glue runs them."""
    frame.createOrReplaceTempView("primary")
    rules = [rule for ruleset in rulesets for rule in parse(ruleset)]
    sql = [(place, rule) for place, rule in enumerate(rules) if isinstance(rule, Rule) and rule.type == "CustomSql"]
    queries = dict([*sql[:SQL_ROWS], *sql[-2:]])  # each is a query of its own; the last two are unique and fresh
    union = " UNION ALL ".join(f"SELECT {place}, ({rule.parameters[0]})" for place, rule in queries.items())
    found = dict(frame.sparkSession.sql(union).collect())
    wants_rows = {place: rule.text.endswith("> 0") for place, rule in queries.items()}
    return {place: (found[place] > 0) == wanted for place, wanted in wants_rows.items()}


@pytest.fixture
def interpreted(spark: SparkSession) -> Iterator[SparkSession]:
    """Spark without compiling a class for each of many small queries, which takes longer than they do."""
    changed = {
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
    }
    before = {name: spark.conf.get(name) for name in changed}
    for name, value in changed.items():
        spark.conf.set(name, value)
    yield spark
    for name, value in before.items():
        spark.conf.set(name, str(value))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    table=rows,
    of_rows=st.lists(row_rules, min_size=16, max_size=16),
    column=st.sampled_from(["ref", "gender", "at"]),
    of_data_set=data_set_rules,
)
def test_a_rule_means_the_same_before_and_after_publication(
    interpreted: SparkSession,
    tmp_path: Path,
    table: list[tuple[Any, ...]],
    of_rows: Rules,
    column: str,
    of_data_set: Rules,
) -> None:
    frame = written(interpreted, table, tmp_path / "table")
    before = [*rows_hold(frame, of_rows), unique_holds(frame, column), *data_set_holds(frame, of_data_set)]
    rulesets = rulesets_of([*of_rows, {"check": "unique", "column": column}, *of_data_set])
    assert dict(enumerate(before)) == dict(enumerate(in_glue(tmp_path / "table", rulesets)))
    by_sql = in_sparks_sql(frame, rulesets)
    assert by_sql == {place: before[place] for place in by_sql}


def test_the_bounds_of_a_range_are_in_it_and_a_missing_value_is_no_question_of_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    rules: Rules = [
        {"check": "range", "column": "ref", "min": 300, "max": 850},
        {"check": "range", "column": "score", "min": 301},
        {"check": "range", "column": "amount", "max": 849.5},
    ]
    whole = [(number, number, float(number), None, None, None) for number in (300, 850)]
    frame = written(spark, [*whole, (None,) * 6], tmp_path / "table")
    assert rows_hold(frame, rules) == in_glue(tmp_path / "table", rulesets_of(rules)) == [True, False, False]
