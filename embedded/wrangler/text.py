"""Format string: what works on whole texts. A column of another type is taken as text, as in Data Wrangler."""

import re
from collections.abc import Callable
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from embedded.wrangler.choices import OperatorFailed, col, family, number

_WIDEST = 1000
_SYMBOLS = "!@#$%^&*()_+=-/\\`~{}|<>?"
Each = Callable[..., DataFrame]


def _each(change: Callable[[Column], Column], what: str) -> Each:
    """A transform that changes one column and takes nothing else."""

    def transform(table: DataFrame, input_column: str, output_column: str | None = None) -> DataFrame:
        return _changed(table, input_column, output_column, change)

    transform.__doc__ = what
    return transform


def _python(change: Callable[[str], str]) -> Callable[[Column], Column]:
    made: Callable[[Column], Column] = F.udf(lambda text: None if text is None else change(text), StringType())
    return made


def _stripper(strip: Callable[[str, str | None], str], what: str) -> Each:
    def transform(
        table: DataFrame, input_column: str, characters_to_remove: str | None = None, output_column: str | None = None
    ) -> DataFrame:
        change = _python(lambda text: strip(text, characters_to_remove or None))
        return _changed(table, input_column, output_column, change)

    transform.__doc__ = what
    return transform


def _padder(pad: Callable[[Column, int, str], Column], what: str) -> Each:
    def transform(
        table: DataFrame, input_column: str, width: Any, fill_character: str = " ", output_column: str | None = None
    ) -> DataFrame:
        wide, fill = _width(width), _fill(fill_character)
        return _changed(table, input_column, output_column, lambda text: pad(text, wide, fill))

    transform.__doc__ = what
    return transform


def _centered(text: Column, width: int, fill: str) -> Column:
    return _python(lambda value: value.center(width, fill))(text)


def prepend_zeros(table: DataFrame, input_column: str, width: Any, output_column: str | None = None) -> DataFrame:
    """Fill with zeros from the left, or cut, to a width."""
    wide = _width(width)
    return _changed(table, input_column, output_column, lambda text: F.lpad(text, wide, "0"))


def add_prefix(table: DataFrame, input_column: str, prefix: str, output_column: str | None = None) -> DataFrame:
    """Put a text before every other; where there is none, there stays none."""
    return _changed(table, input_column, output_column, lambda text: F.concat(F.lit(prefix), text))


def add_suffix(table: DataFrame, input_column: str, suffix: str, output_column: str | None = None) -> DataFrame:
    """Put a text after every other; where there is none, there stays none."""
    return _changed(table, input_column, output_column, lambda text: F.concat(text, F.lit(suffix)))


def remove_symbols(
    table: DataFrame, input_column: str, symbols: str = "", output_column: str | None = None
) -> DataFrame:
    """Take out every one of some characters."""
    pattern = "|".join(re.escape(symbol) for symbol in symbols or _SYMBOLS)
    return _changed(table, input_column, output_column, lambda text: F.regexp_replace(text, f"({pattern})", ""))


def _changed(table: DataFrame, name: str, output: str | None, change: Callable[[Column], Column]) -> DataFrame:
    return table.withColumn(output or name, change(col(name).cast("string")))


def _width(value: Any) -> int:
    width = int(number(value, "width"))
    if width > _WIDEST:
        raise OperatorFailed(f"parameter width must be {_WIDEST} or less")
    return width


def _fill(value: str) -> str:
    if len(value) != 1:
        raise OperatorFailed("parameter fill_character must be one character")
    return value


FORMAT_STRING = family(
    lower_case=("Lower case", _each(F.lower, "Write in lower case.")),
    upper_case=("Upper case", _each(F.upper, "Write in upper case.")),
    title_case=("Title case", _each(_python(str.title), "Begin every word with a capital.")),
    capitalize=("Capitalize", _each(_python(str.capitalize), "Begin with a capital.")),
    swap_case=("Swap case", _each(_python(str.swapcase), "Write capitals small and small letters as capitals.")),
    left_pad=("Left pad", _padder(F.lpad, "Fill from the left, or cut, to a width.")),
    right_pad=("Right pad", _padder(F.rpad, "Fill from the right, or cut, to a width.")),
    center_pad_on_either_side=("Center (pad on either side)", _padder(_centered, "Fill on both sides to a width.")),
    strip_characters_from_left=("Strip characters from left", _stripper(str.lstrip, "Take characters off the left.")),
    strip_characters_from_right=("Strip characters from right", _stripper(str.rstrip, "Take them off the right.")),
    strip_left_and_right=("Strip left and right", _stripper(str.strip, "Take characters off both ends.")),
    prepend_zeros=("Prepend zeros", prepend_zeros),
    add_prefix=("Add prefix", add_prefix),
    add_suffix=("Add suffix", add_suffix),
    remove_symbols=("Remove symbols", remove_symbols),
)
