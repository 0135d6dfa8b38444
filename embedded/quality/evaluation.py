"""Evaluates a ruleset on a table by DuckDB, rule by rule, as AWS documents each."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from embedded.quality.dqdl import Composite, Condition, Keyword, Rule

PASS, FAIL, ERROR = "PASS", "FAIL", "ERROR"
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one rule found."""

    text: str
    result: str
    message: str | None
    metrics: dict[str, float]


class Evaluation:
    """The table at hand, as `primary`.

    Args:
        connection: A DuckDB whose view `primary` is the table.
        now: What `current_timestamp` says.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, now: datetime) -> None:
        self._connection = connection
        self._now = now.astimezone(UTC)
        connection.execute("SET TimeZone = 'UTC'")

    def judge(self, rules: Sequence[Rule | Composite]) -> list[Outcome]:
        """One outcome a rule, in their order."""
        return [self._judge(rule) for rule in rules]

    def _judge(self, rule: Rule | Composite) -> Outcome:
        if isinstance(rule, Composite):
            return self._judge_all(rule)
        try:
            metric, value = self._measure(rule)
        except (duckdb.Error, ValueError) as error:
            return Outcome(text=rule.text, result=ERROR, message=str(error).splitlines()[0], metrics={})
        if value is None:
            return Outcome(text=rule.text, result=FAIL, message="there is no row to measure", metrics={})
        holds = _holds(rule, value)
        message = None if holds else f"Value: {value:g} does not meet the constraint requirement!"
        return Outcome(text=rule.text, result=PASS if holds else FAIL, message=message, metrics={metric: value})

    def _judge_all(self, rule: Composite) -> Outcome:
        outcomes = [self._judge(inner) for inner in rule.rules]
        results = [outcome.result for outcome in outcomes]
        holds = all(r == PASS for r in results) if rule.operator == "and" else PASS in results
        worst = ERROR if ERROR in results else FAIL
        metrics = {name: value for outcome in outcomes for name, value in outcome.metrics.items()}
        messages = [outcome.message for outcome in outcomes if outcome.message]
        message = None if holds else " ".join(messages)
        return Outcome(text=rule.text, result=PASS if holds else worst, message=message, metrics=metrics)

    def _measure(self, rule: Rule) -> tuple[str, float | None]:
        """The metric's name as Glue has it, and its value; None where nothing could be measured."""
        if rule.type == "CustomSql":
            return "Dataset.*.CustomSQL", self._number(self._as_duckdb(rule.parameters[0]))
        if rule.type == "RowCount":
            return "Dataset.*.RowCount", self._number('SELECT count(*) FROM "primary"')
        name = rule.parameters[0]
        column = _identifier(name)
        if rule.type == "ColumnValues":
            share = f"avg(CASE WHEN {_is_member(column, rule.condition)} THEN 1.0 ELSE 0.0 END)"
            return f"Column.{name}.ColumnValues.Compliance", self._number(f'SELECT {share} FROM "primary"')
        filled = f'SELECT count({column})::DOUBLE / nullif(count(*), 0) FROM "primary"'
        return f"Column.{name}.Completeness", self._number(filled)

    def _number(self, query: str) -> float | None:
        rows: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        if len(rows) != 1 or len(rows[0]) != 1:
            raise ValueError("the statement must give one number")
        return None if rows[0][0] is None else float(rows[0][0])

    def _as_duckdb(self, statement: str) -> str:
        """Spark's SQL as DuckDB writes it: names in double quotes, and the moment of this evaluation."""
        moment = f"TIMESTAMPTZ '{self._now:%Y-%m-%d %H:%M:%S.%f}+00'"
        statement = re.sub(r"`([^`]+)`", lambda name: _identifier(name.group(1)), statement)
        statement = re.sub(r"\bfrom primary\b", 'FROM "primary"', statement, flags=re.IGNORECASE)
        return re.sub(r"\bcurrent_timestamp\b(\(\))?", moment, statement, flags=re.IGNORECASE)


def _holds(rule: Rule, value: float) -> bool:
    if rule.type in ("IsComplete", "ColumnValues"):
        return value == 1
    condition = rule.condition
    if condition is None:
        raise ValueError(f"{rule.type} has no condition")
    numbers = [float(operand) for operand in condition.operands if not isinstance(operand, Keyword)]
    if condition.operator == "between":  # both bounds left out, as AWS documents
        return numbers[0] < value < numbers[1]
    if condition.operator == "in":
        return value in numbers
    return _COMPARISONS[condition.operator](value, numbers[0])


def _is_member(column: str, condition: Condition | None) -> str:
    """Whether a value is one of a set; a missing one is where NULL is a member, and not otherwise."""
    if condition is None or condition.operator != "in":
        raise ValueError("ColumnValues is evaluated here with a set alone: in [...]")
    texts = [operand for operand in condition.operands if not isinstance(operand, Keyword)]
    texts += [""] * (Keyword.EMPTY in condition.operands)
    members = ", ".join(_literal(text) for text in texts)
    member = f"({column} IS NOT NULL AND {column} IN ({members}))" if members else "FALSE"
    return f"({member} OR {column} IS NULL)" if Keyword.NULL in condition.operands else member


def _literal(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else repr(value)
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
