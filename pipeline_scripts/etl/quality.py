"""Which rows break a rule, and in which words: the row rules of the model's YAML over the curated columns.

A value that is missing breaks `complete` alone. No reason ever holds a value.
"""

from collections.abc import Iterator
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.model import Model

REASON = "__reason"
_SIDES = {"min": "below", "max": "above"}
Rule = dict[str, Any]
Breach = tuple[SparkColumn, str]


def rules_of(model: Model) -> list[Rule]:
    """The model's rules as the YAML has them, in its order."""
    return list(model.settings["quality"]["rules"])


def is_of_rows(rule: Rule) -> bool:
    """Whether it rejects rows; the others judge the data set."""
    return rule["check"] in ("range", "one_of", "unique") or (rule["check"] == "complete" and rule["at_least"] == 1)


def reasons_of(rule: Rule) -> list[str]:
    """Every reason that a row rule can give."""
    column, check = rule["column"], rule["check"]
    if check == "complete":
        return [f"{column}: missing"]
    if check == "one_of":
        return [f"{column}: not one of the declared values"]
    if check == "unique":
        return [f"{column}: stands in more than one row"]
    bounds = [f"{column}: {side} {plain(rule[key])}" for key, side in _SIDES.items() if rule[key] is not None]
    return [f"{column}: not a number", *bounds]


def plain(number: float) -> str:
    """A bound as people write it: 300, not 300.0."""
    return str(int(number)) if number == int(number) else repr(number)


def row_reason(model: Model) -> SparkColumn | None:
    """The first row rule that a row breaks, NULL where it breaks none; None where the model has no such rule.

    `unique` is not among them, for a row alone cannot tell: see `with_reasons`.
    """
    breaches = [F.when(*breach) for rule in rules_of(model) for breach in _breaches(rule, model)]
    return F.coalesce(*breaches) if breaches else None


def with_reasons(frame: DataFrame, model: Model) -> DataFrame:
    """The frame and, in `__reason`, why each row is rejected; NULL where it is not.

    All rows that share a value of a `unique` column are rejected. Each such column costs one aggregation of that
    column, so hold on to a frame that is dear to compute; without one the reasons are a column like any other.
    """
    own = row_reason(model)
    reasons = [] if own is None else [own]
    columns = frame.columns
    for place, rule in enumerate(rule for rule in rules_of(model) if rule["check"] == "unique"):
        frame = _mark_shared(frame, rule["column"], mark=f"__shared_{place}")
        reasons.append(F.when(F.col(f"__shared_{place}"), reasons_of(rule)[0]))
    reason = F.coalesce(*reasons) if reasons else F.lit(None).cast("string")
    return frame.select(*columns, reason.alias(REASON))


def _breaches(rule: Rule, model: Model) -> Iterator[Breach]:
    """What a row rule asks of one row, each with its reason. A comparison with a missing value is never true."""
    if not is_of_rows(rule) or rule["check"] == "unique":
        return
    values, reasons = F.col(rule["column"]), reasons_of(rule)
    if rule["check"] == "complete":
        yield values.isNull(), reasons[0]
    elif rule["check"] == "one_of":
        yield ~values.isin(*rule["values"]), reasons[0]
    else:
        bounds = [(key, rule[key]) for key in _SIDES if rule[key] is not None]
        if model.kind(rule["column"]) == "double":
            yield F.isnan(values), reasons[0]
        for (key, bound), words in zip(bounds, reasons[1:], strict=True):
            yield (values < bound if key == "min" else values > bound), words


def _mark_shared(frame: DataFrame, column: str, *, mark: str) -> DataFrame:
    """The frame, with true in `mark` where another row has the same value in `column`."""
    shared = (
        frame.where(F.col(column).isNotNull())
        .groupBy(F.col(column).alias(f"{mark}_value"))
        .agg(F.count(F.lit(1)).alias(f"{mark}_rows"))
        .where(F.col(f"{mark}_rows") > 1)
        .select(f"{mark}_value", F.lit(True).alias(mark))
    )
    return frame.join(shared, F.col(column) == F.col(f"{mark}_value"), "left")
