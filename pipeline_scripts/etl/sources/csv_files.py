"""CSV, strictly: RFC 4180 in UTF-8, with a header. Files are judged as a whole first, then Spark reads their rows."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import IO

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline_scripts.etl.errors import SourceRefused
from pipeline_scripts.etl.schema import match_columns, refuse
from pipeline_scripts.etl.sources.records import NAME, as_type
from pipeline_scripts.etl.sources.streams import StoredFile, open_stream
from pipeline_scripts.etl.sources.text import parse_cells
from pipeline_scripts.etl.spark_errors import explained
from pipeline_scripts.model import Column, Model

TORN = "__torn"
LONGEST_LINE = 16 << 20
"""Bytes. A longer line or cell is no row: a quote was never closed, or this is no CSV."""
MOST_FAULTS = 10
BYTE_ORDER_MARK = "\xef\xbb\xbf"  # of UTF-8, as Latin-1 shows it

# As the strict reader has it. Spark's own defaults escape by backslash, and make of a wrong quote some text.
RULES: dict[str, bool | int | str] = {
    "header": True,
    "escape": '"',
    "unescapedQuoteHandling": "RAISE_ERROR",
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": TORN,
    "columnPruning": False,  # else the number of cells counts only as far as they are asked for
    "maxCharsPerColumn": -1,
}


def read_csv(*, spark: SparkSession, model: Model, files: Sequence[StoredFile]) -> DataFrame:
    """The rows of all files; the order of columns may differ from file to file. An empty cell is NULL.

    A file's quotes and header are judged before, because one quote that is never closed makes a single cell of all
    rows that follow. Only where some cell holds a line break must Spark read a file in one piece.

    Raises:
        SourceRefused: A file is empty, its header is not what the model declares, its quotes are wrong, or it is not
            UTF-8 from its start.
        EtlError: A file cannot be read to its end.
    """
    with explained("source"):
        judged = spark.sparkContext.parallelize(files, len(files)).map(_judge).collect()
    faults = [f"{found.file.name}: {found.fault}" for found in judged if found.fault]
    if faults:
        refuse([*faults[:MOST_FAULTS], *([f"and {len(faults) - MOST_FAULTS} more"] if faults[MOST_FAULTS:] else [])])
    alike: dict[tuple[tuple[str, ...], bool], list[str]] = defaultdict(list)
    for found in judged:
        alike[(_declared(found, model.columns), found.breaks_lines)].append(found.file.path)
    frames = [
        spark.read.schema(T.StructType([T.StructField(name, T.StringType()) for name in (*header, TORN)]))
        .options(**RULES, multiLine=breaks_lines)
        .csv(paths)
        for (header, breaks_lines), paths in alike.items()
    ]
    rows = reduce(DataFrame.unionByName, frames)
    width = len(model.columns)
    return parse_cells(rows, model.columns, torn=F.col(TORN).isNotNull(), whole=f"row: has not {width} cells")


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """What a file is as a whole: its header, or the fault for which it is none."""

    file: StoredFile
    header: tuple[str, ...] = ()
    breaks_lines: bool = False
    fault: str | None = None


def _judge(file: StoredFile) -> _Judged:
    with open_stream(file) as stream:
        try:
            header = _header(stream)
        except UnicodeDecodeError:
            return _Judged(file=file, fault="its first line is not UTF-8; write it as UTF-8")
        except csv.Error:
            return _Judged(file=file, fault="the quotes of its first line are wrong; quote cells whole")
    if not header:
        return _Judged(file=file, fault="is empty, without even a header; write one, or no file")
    if any("\0" in name for name in header):
        return _Judged(file=file, fault="its first line holds NUL characters, so it is no CSV in UTF-8; write it so")
    with open_stream(file) as stream:
        breaks_lines, fault = _judge_quotes(stream)
    return _Judged(file=file, header=header, breaks_lines=breaks_lines, fault=fault)


def _header(stream: IO[bytes]) -> tuple[str, ...]:
    """The first row's cells; nothing where there is no row."""
    lines = _lines(io.TextIOWrapper(stream, encoding="latin-1", newline=""))
    marked = next(lines, "").removeprefix(BYTE_ORDER_MARK)
    header = next((row for row in csv.reader(chain((marked,), lines), strict=True) if row), ())
    return tuple(name.encode("latin-1").decode() for name in header)


def _judge_quotes(stream: IO[bytes]) -> tuple[bool, str | None]:
    """Whether any cell holds a line break, and what is wrong with the quotes. Lines without a quote are skipped."""
    csv.field_size_limit(LONGEST_LINE)
    number, breaks_lines = 0, False

    def counted() -> Iterator[str]:
        nonlocal number
        for line in _lines(io.TextIOWrapper(stream, encoding="latin-1", newline="")):
            number += 1
            yield line

    lines = counted()
    for line in lines:
        if '"' not in line:
            continue
        first = number
        try:
            row = next(csv.reader(chain((line,), lines), strict=True))
        except csv.Error:
            fault = f"line {first}: its quotes are wrong or never closed; quote cells whole and double quotes within"
            return breaks_lines, fault
        if any("\0" in cell for cell in row):
            return breaks_lines, f"line {first}: has quotes and a NUL character, of which Spark makes NULL; remove it"
        breaks_lines = breaks_lines or number > first
    return breaks_lines, None


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise SourceRefused(f"source refused, nothing was written: a line has {LONGEST_LINE} bytes; this is no CSV")
        yield line


def _declared(found: _Judged, columns: Sequence[Column]) -> tuple[str, ...]:
    """The header in the model's spelling.

    A file without a header shows a row instead, whose values no message may hold: so names are told only where some
    of them are declared, and only those that could be a column's.

    Raises:
        SourceRefused: It does not hold the declared names, each once, and no other.
    """
    types = {column.name.lower(): as_type(column) for column in columns}
    if not any(name.lower() in types for name in found.header):
        refuse([f"{found.file.name}: its first line holds none of the declared names; write a header"])
    names = [name if NAME.fullmatch(name) else f"column {place}" for place, name in enumerate(found.header, 1)]
    try:
        spelling = match_columns(
            [T.StructField(name, types.get(name.lower(), T.StringType())) for name in names], columns
        )
    except SourceRefused as refusal:
        raise SourceRefused(f"{refusal} (in {found.file.name})") from None
    declared = {actual: name for name, actual in spelling.items()}
    return tuple(declared[name] for name in names)
