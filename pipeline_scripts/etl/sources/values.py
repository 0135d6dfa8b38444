"""A single value made what the model declares, as far as it is a matter of the value and not of its type."""

import math
import re
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import NoReturn

from pipeline_scripts.etl.sources.text import LONGEST_TEXT, MEANT

SMALLEST, LARGEST = -(2**63), 2**63 - 1
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})?")


class Unreadable(Exception):
    """One value is not what its column's type asks for; the text is the reason, without the value."""


class Mistyped(Exception):
    """The source keeps this value as another type than declared; the text names that type."""


def unreadable(declared: str) -> NoReturn:
    """Say that a value is not of its declared type.

    Raises:
        Unreadable: Always.
    """
    raise Unreadable(MEANT[declared])


def integer_of(number: int | float | Decimal) -> int:
    """A whole number of 64 bits.

    Raises:
        Unreadable: It is none.
    """
    if not SMALLEST <= number <= LARGEST or number != int(number):  # NaN fails the first comparison
        unreadable("integer")
    return int(number)


def double_of(number: int | float | Decimal) -> float:
    """A finite double, the nearest one.

    Raises:
        Unreadable: It is too large, or not a number.
    """
    try:
        value = float(number)
    except (OverflowError, ValueError):
        unreadable("double")
    if not math.isfinite(value):
        unreadable("double")
    return value


def text_of(text: str) -> str:
    """Text that a file can hold.

    Raises:
        Unreadable: It holds a NUL or half a character, or is longer than a value is.
    """
    if "\0" in text:
        raise Unreadable("holds a NUL character")
    if len(text) > LONGEST_TEXT:
        raise Unreadable(f"is longer than {LONGEST_TEXT} characters")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Unreadable("holds half a character")
    return text


def date_of(text: str) -> date:
    """The date that `YYYY-MM-DD` stands for.

    Raises:
        Unreadable: It stands for none.
    """
    try:
        return date.fromisoformat(text if DATE.fullmatch(text) else "")
    except ValueError:
        unreadable("date")


def timestamp_of(text: str) -> datetime:
    """The moment that `YYYY-MM-DDThh:mm:ss[.ffffff][zone]` stands for; UTC where no zone follows.

    Raises:
        Unreadable: It stands for none.
    """
    match = TIMESTAMP.fullmatch(text)
    try:
        moment = datetime.fromisoformat(_padded(text, match) if match else "")
        return moment_of(moment)
    except (ValueError, OverflowError):
        unreadable("timestamp")


def moment_of(moment: datetime) -> datetime:
    """The moment in UTC, which is also meant where no zone is said."""
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def _padded(text: str, match: re.Match[str]) -> str:
    """As Python 3.10 reads it: six digits of a fraction, and the zone in numbers."""
    zone = {"Z": "+00:00", None: ""}.get(match[2], match[2])
    return f"{text[:19]}.{(match[1] or '.').removeprefix('.'):0<6}{zone}"
