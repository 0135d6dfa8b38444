"""Whether a run may be published: the rules of the data set, and how many rows were rejected by those of the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.quality import Rule, is_of_rows, plain, reasons_of, rules_of
from pipeline_scripts.model import Model

PASS, FAIL = "PASS", "FAIL"
ROWS = "rows"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the rules said.

    Attributes:
        results: For the manifest, one a rule: `rule`, `outcome` (PASS or FAIL), `detail` and `failed_rows`.
        stops: Why the run must publish nothing, one sentence each; none where it may.
    """

    results: list[dict[str, Any]]
    stops: list[str]


def judge(
    *,
    accepted: DataFrame,
    rejected_by_reason: dict[str, int],
    rows: int,
    previous_rows: int | None,
    now: datetime,
    model: Model,
) -> Verdict:
    """Judge a run by the model's rules. Costs one aggregation of `accepted`, and none where no rule needs it.

    Args:
        accepted: What is to be published.
        rejected_by_reason: How many rows were rejected, by the reason they were given; also by reasons of others,
            such as a row that cannot be read.
        rows: How many rows were judged, rejected ones among them.
        previous_rows: The last published version's rows; None before the first.
        now: The moment to which freshness is counted, with its time zone.
        model: Says the rules.
    """
    rules = rules_of(model)
    measured = _measure(accepted, rules)
    results = []
    for rule in rules:
        if is_of_rows(rule):
            failed = sum(rejected_by_reason.get(reason, 0) for reason in reasons_of(rule))
            problem, detail = failed > 0, f"{failed} row(s) rejected" if failed else "no row rejected"
        else:
            failed = 0
            problem, detail = _judge_data_set(rule, measured, previous_rows=previous_rows, now=now)
        outcome = FAIL if problem else PASS
        results.append({"rule": describe(rule), "outcome": outcome, "detail": detail, "failed_rows": failed})
    failures = [
        result
        for rule, result in zip(rules, results, strict=True)
        if result["outcome"] == FAIL and not is_of_rows(rule)
    ]
    stops = [f"{result['rule']}: {result['detail']}" for result in failures]
    stops += _too_many_rejected(rejected_by_reason, rows, model.settings["quality"]["max_rejected_fraction"])
    return Verdict(results=results, stops=stops)


def describe(rule: Rule) -> str:
    """A rule in one line, as in `range credit_score 300..850`."""
    subject = " ".join(filter(None, (rule["check"], rule.get("column"))))
    if rule["check"] in ("range", "row_count"):
        low, high = ("" if rule[key] is None else plain(rule[key]) for key in ("min", "max"))
        return f"{subject} {low}..{high}"
    if rule["check"] == "one_of":
        return f"{subject} ({len(rule['values'])} values)"
    if rule["check"] == "complete":
        return f"{subject} at least {rule['at_least']:g}"
    if rule["check"] == "fresh":
        return f"{subject} within {rule['within_hours']} h"
    return f"{subject} at most {rule['at_most']:g}" if rule["check"] == "row_count_change" else subject


def _measure(accepted: DataFrame, rules: list[Rule]) -> dict[str, Any]:
    """What the rules of the data set need to know, by one aggregation."""
    wanted = dict(pair for rule in rules if not is_of_rows(rule) for pair in _measures(rule))
    if not wanted:
        return {}
    return accepted.agg(*(measure.alias(name) for name, measure in wanted.items())).collect()[0].asDict()


def _measures(rule: Rule) -> Iterator[tuple[str, SparkColumn]]:
    yield ROWS, F.count(F.lit(1))
    if rule["check"] == "complete":
        yield f"count {rule['column']}", F.count(rule["column"])
    if rule["check"] == "fresh":
        # As seconds, for a timestamp would be given back in the zone of the process that asks.
        newest = F.max(rule["column"]).cast("timestamp").cast("double")
        yield f"newest {rule['column']}", newest


def _judge_data_set(
    rule: Rule, measured: dict[str, Any], *, previous_rows: int | None, now: datetime
) -> tuple[bool, str]:
    """Whether the data set breaks the rule, and what was found."""
    rows = measured[ROWS]
    if rule["check"] == "complete":
        filled = measured[f"count {rule['column']}"]
        return not rows or filled / rows < rule["at_least"], f"{filled} of {rows} rows have a value"
    if rule["check"] == "fresh":
        newest = measured[f"newest {rule['column']}"]
        if newest is None:
            return True, "no row has a value"
        hours = (now.timestamp() - newest) / 3600
        return hours > rule["within_hours"], f"the newest is {hours:.1f} h old"
    if rule["check"] == "row_count":
        return rows < rule["min"] or (rule["max"] is not None and rows > rule["max"]), f"{rows} rows"
    if not previous_rows:
        return False, f"{rows} rows, and no version before to compare with"
    change = (rows - previous_rows) / previous_rows
    return abs(change) > rule["at_most"], f"{rows} rows after {previous_rows}, a change of {change:+.1%}"


def _too_many_rejected(rejected_by_reason: dict[str, int], rows: int, allowed: float) -> list[str]:
    rejected = sum(rejected_by_reason.values())
    if not rows or rejected / rows <= allowed:
        return []
    most = sorted(rejected_by_reason.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{reason} ({count})" for reason, count in most if count)
    return [
        f"{rejected} of {rows} rows were rejected, more than max_rejected_fraction {allowed:g} allows: {reasons}; "
        "mend the source, or the rules under quality"
    ]
