"""What every kind of source can do: say how new it is, and give the rows of a window."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeAlias

from pyspark.sql import DataFrame

Watermark: TypeAlias = int | date | datetime
"""What grows whenever a row changes; a datetime is aware, in UTC."""

PROBLEM = "__problem"
"""The column that says, in words and without a value, why a row is none; NULL where all is well."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which rows to read: those whose watermark lies from `low` to `high`, both included, or has no value.

    None stands for no bound. A source without a watermark is only ever asked for everything.
    """

    low: Watermark | None = None
    high: Watermark | None = None


EVERYTHING = Window()


class Source(Protocol):
    """The rows behind one connection."""

    def newest(self) -> Watermark | None:
        """The largest watermark there is now; None where there is no row, or the model names no watermark."""

    def read(self, window: Window) -> DataFrame:
        """The rows of a window: the model's declared columns, at its types, and `PROBLEM`.

        Nothing that a row holds stops the reading: a row that cannot be what the model declares has its columns
        NULL and a sentence in `PROBLEM`. What the source as a whole is not stops it, before anything is written.

        Raises:
            SourceRefused: A column is undeclared, missing or of another type; all of them are named.
        """
