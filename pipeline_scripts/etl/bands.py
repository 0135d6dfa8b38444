"""Generalisation into bands: one definition for Spark columns and for pandas or numpy values alike.

It only compares, and both kinds of values know how to: so the ETL and whoever prepares a request for the endpoint
cannot come to differ.
"""

import calendar
import itertools
from collections.abc import Sequence
from datetime import date
from typing import Any


def band_labels(bounds: Sequence[int]) -> tuple[str, ...]:
    """Labels from below the first bound to above the last: `(18, 30)` gives `<18`, `18-29`, `30+`."""
    between = [
        str(low) if low == following - 1 else f"{low}-{following - 1}" for low, following in itertools.pairwise(bounds)
    ]
    return (f"<{bounds[0]}", *between, f"{bounds[-1]}+")


def latest_birth(*, age: int, as_of: date) -> date:
    """The last day on which somebody who has reached `age` at `as_of` can have been born."""
    year = as_of.year - age
    return date(year, as_of.month, min(as_of.day, calendar.monthrange(year, as_of.month)[1]))


def bounds_reached(values: Any, *, kind: str, bounds: Sequence[int], as_of: date) -> list[Any]:
    """One comparison a bound, lowest first: has the value, or the age of somebody born then, reached it?

    Args:
        values: A Spark column, a pandas series or a numpy array.
        kind: The column's declared type; `date` means dates of birth.
        bounds: The lower bounds of the bands.
        as_of: The day on which ages are counted.
    """
    if kind == "date":
        return [values <= latest_birth(age=bound, as_of=as_of) for bound in bounds]
    return [values >= bound for bound in bounds]
