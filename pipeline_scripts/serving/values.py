"""Whether raw values are what an input takes: judged a column at once, and one by one only where something is odd.

Missing is None. A number may come as text, as in a CSV, and must be one that 32 bits can hold.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.signature import Input

_LARGEST = 3.4028234e38  # of a 32-bit number, in which a model computes
_TEXTS, _NUMBERS, _BITS = {str, type(None)}, {int, float}, {0.0, 1.0}
_EXPECTED = {"integer": "a whole number", "double": "a finite number", "boolean": "true, false, 1 or 0"}


def checked(values: Sequence[Any], item: Input) -> Sequence[Any]:
    """The values, a row each, as the transformer takes them: finite numbers, texts, or None.

    Raises:
        RequestError: A value is of another type; the message names row and input.
    """
    kinds = set(map(type, values))
    if item.type == "string":
        return values if kinds <= _TEXTS else [_text(value, item, row) for row, value in enumerate(values, start=1)]
    numbers = _at_once(values, kinds)
    if numbers and _fit(numbers, item):
        return numbers
    return [_number(value, item, row) for row, value in enumerate(values, start=1)]


def _at_once(values: Sequence[Any], kinds: set[type]) -> Sequence[float]:
    """All values as numbers; none when one of them needs to be looked at.

    Each becomes a float, an integer too: one past 2^53 is rounded as it is when it is judged alone.
    """
    if kinds <= _NUMBERS or (kinds == {str} and _decimal("".join(values))):
        with suppress(ValueError, OverflowError):
            return list(map(float, values))
    return []


def _fit(numbers: Sequence[float], item: Input) -> bool:
    if not sum(map(abs, numbers)) <= _LARGEST and not all(abs(number) <= _LARGEST for number in numbers):
        return False  # written so that NaN does not pass
    if item.type == "boolean":
        return _BITS.issuperset(numbers)
    return item.type == "double" or all(map(float.is_integer, numbers))


def _decimal(text: str) -> bool:
    """Whether no number in it is one only to Python, which reads 1_000 and ١٢; a CSV does not."""
    return text.isascii() and "_" not in text


def _text(value: Any, item: Input, row: int) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise RequestError(f"row {row}: {item.name!r} must be text, got {_shown(value)}")


def _number(value: Any, item: Input, row: int) -> float | None:
    if value is None:
        return None
    number = _read(value, boolean=item.type == "boolean")
    if number is None or not _fit([number], item):
        raise RequestError(f"row {row}: {item.name!r} must be {_EXPECTED[item.type]}, got {_shown(value)}")
    return number


def _read(value: Any, *, boolean: bool) -> float | None:
    if boolean and (isinstance(value, bool) or value in ("true", "false", "True", "False")):
        return float(str(value).lower() == "true")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _decimal(value):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
