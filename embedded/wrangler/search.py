"""Search and edit: what looks for a part of a text. Patterns are Java's, as Spark takes them."""

import re
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from embedded.wrangler.choices import OperatorFailed, col, family, number


def find_and_replace(
    table: DataFrame, input_column: str, pattern: str, replacement: str = "", output_column: str | None = None
) -> DataFrame:
    """Replace every match of a pattern."""
    _pattern(pattern)
    return table.withColumn(output_column or input_column, F.regexp_replace(col(input_column), pattern, replacement))


def extract(
    table: DataFrame, input_column: str, pattern: str, index: Any = None, output_column: str | None = None
) -> DataFrame:
    """Keep a group of the first match, the first one unless told; nothing matched is an empty text."""
    _pattern(pattern)
    group = int(number(index, "index")) if index not in (None, "") else min(re.compile(pattern).groups, 1)
    return table.withColumn(output_column or input_column, F.regexp_extract(col(input_column), pattern, group))


def extract_between(
    table: DataFrame, input_column: str, left_delimiter: str, right_delimiter: str, output_column: str | None = None
) -> DataFrame:
    """Keep what lies between two delimiters."""
    if not left_delimiter or not right_delimiter:
        raise OperatorFailed("parameters left_delimiter and right_delimiter must not be empty")
    pattern = f"{re.escape(left_delimiter)}(.*){re.escape(right_delimiter)}"
    return table.withColumn(output_column or input_column, F.regexp_extract(col(input_column), pattern, 1))


def extract_from_position(
    table: DataFrame, input_column: str, start_position: Any, length: Any, output_column: str | None = None
) -> DataFrame:
    """Keep so many characters from a position, which counts from 1."""
    start, size = int(number(start_position, "start_position")), int(number(length, "length"))
    return table.withColumn(output_column or input_column, F.substring(col(input_column), start, size))


def regex_to_missing(table: DataFrame, input_column: str, pattern: str, output_column: str | None = None) -> DataFrame:
    """Take away the values that a pattern matches as a whole."""
    value, matched = col(input_column), _whole(input_column, pattern)
    return table.withColumn(output_column or input_column, F.when(matched, None).otherwise(value))


def non_matches_to_missing(
    table: DataFrame, input_column: str, pattern: str, output_column: str | None = None
) -> DataFrame:
    """Keep only the values that a pattern matches as a whole."""
    value, matched = col(input_column), _whole(input_column, pattern)
    return table.withColumn(output_column or input_column, F.when(matched, value).otherwise(None))


def _whole(name: str, pattern: str) -> Column:
    _pattern(pattern)
    return col(name).rlike(f"^{pattern}$")


def _pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise OperatorFailed(f"parameter pattern is not a regular expression: {error}") from error
    if not pattern:
        raise OperatorFailed("parameter pattern must not be empty")


SEARCH_AND_EDIT = family(
    find_and_replace_substring=("Find and replace substring", find_and_replace),
    extract_using_regex=("Extract using regex", extract),
    extract_between_delimiters=("Extract between delimiters", extract_between),
    extract_from_position=("Extract from position", extract_from_position),
    convert_regex_to_missing=("Convert regex to missing", regex_to_missing),
    convert_non_matches_to_missing=("Convert non-matches to missing", non_matches_to_missing),
)
