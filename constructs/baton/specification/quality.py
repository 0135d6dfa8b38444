"""What rows and data sets must be like to be published: one set of rules for Spark and for Glue Data Quality."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Strict, model_validator

from baton.specification.base import ColumnName, Specification

# Glue compares the numbers of a set as doubles, and a double tells whole numbers apart up to here.
EXACT = 2**53 - 1


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{value} is a boolean; put a text such as no or yes in quotes, and write 0 or 1 for a number")
    return value


Whole = Annotated[int, Strict(), Field(ge=-EXACT, le=EXACT)]
Number = Annotated[
    Whole | Annotated[float, Strict(), Field(ge=-EXACT, le=EXACT, allow_inf_nan=False)], BeforeValidator(_no_boolean)
]
Member = Annotated[Annotated[str, Strict()] | Whole, BeforeValidator(_no_boolean)]


class Complete(Specification):
    """At least this share of the rows has a value; with 1, a row without one is rejected."""

    check: Literal["complete"]
    column: ColumnName
    at_least: float = Field(default=1.0, gt=0, le=1)


class Range(Specification):
    """A number lies between two bounds, both included; a row whose number does not, or is none (NaN), is rejected."""

    check: Literal["range"]
    column: ColumnName
    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> "Range":
        if self.min is None and self.max is None:
            raise ValueError("range needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class OneOf(Specification):
    """A text or a whole number is one of a set; a row with another one is rejected."""

    check: Literal["one_of"]
    column: ColumnName
    values: tuple[Member, ...] = Field(min_length=1)


class Unique(Specification):
    """No value stands in two rows; all rows that share one are rejected."""

    check: Literal["unique"]
    column: ColumnName


class Fresh(Specification):
    """The newest date or time of a column is no older than this."""

    check: Literal["fresh"]
    column: ColumnName
    within_hours: int = Field(ge=1)


class RowCount(Specification):
    """The data set has this many rows."""

    check: Literal["row_count"]
    min: int = Field(default=1, ge=1)
    max: int | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> "RowCount":
        if self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class RowCountChange(Specification):
    """The data set grew or shrank by no more than this share of the last version's rows (0.2 is a fifth).

    Before the first version there is nothing to compare with, so it passes. Glue's rulesets of the catalogue know no
    other run than their own, so this one is judged before publication alone.
    """

    check: Literal["row_count_change"]
    at_most: float = Field(gt=0)


Rule = Annotated[Complete | Range | OneOf | Unique | Fresh | RowCount | RowCountChange, Field(discriminator="check")]

# Of which columns a check is; a check that is not here is of any.
KINDS: dict[str, tuple[str, ...]] = {
    "range": ("integer", "double"),
    "one_of": ("string", "integer"),
    "unique": ("string", "integer", "date", "timestamp"),
    "fresh": ("date", "timestamp"),
}


class Quality(Specification):
    """The rules, and the share of the rows that may be rejected before the run stops and publishes nothing.

    A value that is missing is a question for `complete` alone; no other check looks at it.
    """

    max_rejected_fraction: float = Field(default=0.01, ge=0, lt=1)
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _asks_each_question_once(self) -> "Quality":
        asked: dict[tuple[str, str | None], int] = {}
        for place, rule in enumerate(self.rules):
            question = (rule.check, getattr(rule, "column", None))
            if question in asked:
                raise ValueError(
                    f"rules {asked[question]} and {place} are both {' of '.join(filter(None, question))}; keep one"
                )
            asked[question] = place
        return self

    def misfit(self, kinds: dict[str, str]) -> str | None:
        """What of the rules does not fit the curated columns, whose types are `kinds`; None where all do."""
        for place, rule in enumerate(self.rules):
            name = getattr(rule, "column", None)
            if name is None:
                continue
            if name not in kinds:
                return f"rules.{place}.column: no column has the output {name}"
            fitting = KINDS.get(rule.check, (kinds[name],))
            if kinds[name] not in fitting:
                return f"rules.{place}: {rule.check} is of {' and '.join(fitting)} columns, and {name} is {kinds[name]}"
            if isinstance(rule, OneOf):
                member = str if kinds[name] == "string" else int
                stray = next((value for value in rule.values if not isinstance(value, member)), None)
                if stray is not None:
                    return f"rules.{place}.values: {name} is {kinds[name]}, and {stray!r} can be none of its values"
        return None
