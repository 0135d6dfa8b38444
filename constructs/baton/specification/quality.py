"""What rows and data sets must be like to be published: one set of rules for Spark and for Glue Data Quality."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from baton.specification.base import ColumnName, Specification


class Complete(Specification):
    """At least this share of the rows has a value; with 1, a row without one is rejected."""

    check: Literal["complete"]
    column: ColumnName
    at_least: float = Field(default=1.0, gt=0, le=1)


class Range(Specification):
    """A number lies between two bounds, both included; a row whose number does not is rejected."""

    check: Literal["range"]
    column: ColumnName
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> "Range":
        if self.min is None and self.max is None:
            raise ValueError("range needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class OneOf(Specification):
    """A value is one of a set; a row with another one is rejected."""

    check: Literal["one_of"]
    column: ColumnName
    values: tuple[str | int, ...] = Field(min_length=1)


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


class RowCountChange(Specification):
    """The data set grew or shrank by no more than this share since the last version."""

    check: Literal["row_count_change"]
    at_most: float = Field(gt=0)


Rule = Annotated[Complete | Range | OneOf | Unique | Fresh | RowCount | RowCountChange, Field(discriminator="check")]


class Quality(Specification):
    """The rules, and the share of the rows that may be rejected before the run stops and publishes nothing.

    A value that is missing is a question for `complete` alone; no other check looks at it.
    """

    max_rejected_fraction: float = Field(default=0.01, ge=0, lt=1)
    rules: tuple[Rule, ...] = ()
