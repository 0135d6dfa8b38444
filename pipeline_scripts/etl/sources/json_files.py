"""JSON lines: an object a line, in UTF-8. Values are judged line by line, the names of keys over all lines."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NoReturn

from pyspark.sql import DataFrame, SparkSession

from pipeline_scripts.etl.sources.records import Record, Shaping, read_records
from pipeline_scripts.etl.sources.streams import StoredFile, open_stream
from pipeline_scripts.etl.sources.values import Mistyped, date_of, double_of, integer_of, text_of, timestamp_of
from pipeline_scripts.model import Model

LONGEST_LINE = 16 << 20
"""Bytes. A longer line is no row, and is not taken into memory."""
KINDS = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def read_json(*, spark: SparkSession, model: Model, files: Sequence[StoredFile]) -> DataFrame:
    """The rows of all files. A key that a line leaves out is NULL; a value of another type is a problem of its row.

    Raises:
        SourceRefused: Lines have keys that the model does not declare, or none has a declared one.
        EtlError: A file cannot be read to its end.
    """
    count = min(model.source["partitions"], len(files))
    shaping = Shaping(columns=model.columns, convert=convert, refuses_mistyped=False)
    slices = [tuple(files[number::count]) for number in range(count)]
    return read_records(spark=spark, slices=slices, read=_records, shaping=shaping, is_whole=True)


def convert(value: Any, declared: str) -> int | float | str | date | datetime | bool:
    """A value of JSON at its declared type; dates and timestamps are texts of ISO 8601.

    Raises:
        Mistyped: The line holds another type.
        Unreadable: The number or the text is none of the declared type.
    """
    kind = type(value)
    if declared in ("integer", "double") and kind in (int, float):
        return integer_of(value) if declared == "integer" else double_of(value)
    if declared == "string" and kind is str:
        return text_of(value)
    if declared in ("date", "timestamp") and kind is str:
        return date_of(value) if declared == "date" else timestamp_of(value)
    if declared == "boolean" and kind is bool:
        return bool(value)
    raise Mistyped(KINDS[kind])


def _records(files: Sequence[StoredFile]) -> Iterator[Record]:
    for file in files:
        with open_stream(file) as stream:
            is_first = True
            while line := stream.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                        pass
                    yield f"line: is longer than {LONGEST_LINE} bytes"
                    continue
                if is_first:
                    line, is_first = line.removeprefix(b"\xef\xbb\xbf"), False
                if line.strip():
                    yield _record(line)


def _record(line: bytes) -> Record:
    """The line's object, or why it holds none."""
    try:
        content = json.loads(line.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        return "line: is not UTF-8"
    except _Repeated:
        return "line: names a key twice"
    except (ValueError, RecursionError):  # a number of thousands of digits and endless nesting, too
        return "line: is not JSON"
    return content if isinstance(content, dict) else "line: is not a JSON object"


class _Repeated(ValueError):
    """An object names a key twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise _Repeated
    return content


def _no_constant(_: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are Python's, not JSON's
