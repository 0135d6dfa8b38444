"""From a data frame to a table: column types, and the text that Derby's bulk import reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

Rows: TypeAlias = pd.DataFrame | pa.Table | Path | Sequence[Mapping[str, Any]]

_SHORT_TEXT = 255
_LONGEST_VARCHAR = 32_672


def as_table(rows: Rows) -> pa.Table:
    """Any accepted form of rows as one typed table. In a CSV only an empty unquoted field is NULL."""
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, pd.DataFrame):
        return pa.Table.from_pandas(rows, preserve_index=False)
    if isinstance(rows, Path):
        # Words such as NA are text: Namibia's country code is not a missing value.
        options = csv.ConvertOptions(null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False)
        return csv.read_csv(rows, convert_options=options, parse_options=csv.ParseOptions(newlines_in_values=True))
    return pa.Table.from_pylist([dict(row) for row in rows])


def quoted(identifier: str) -> str:
    """An SQL identifier that keeps its case and may hold any character."""
    return '"' + identifier.replace('"', '""') + '"'


def definition(table: pa.Table) -> str:
    """The column list of CREATE TABLE."""
    return ", ".join(f"{quoted(name)} {_sql_type(table.column(name))}" for name in table.column_names)


def write_import_file(table: pa.Table, path: Path) -> None:
    """Write a table as SYSCS_IMPORT_TABLE reads it: no header, text quoted, NULL as nothing."""
    columns = [_importable(column) for column in table.columns]
    csv.write_csv(
        pa.table(columns, names=table.column_names), path, write_options=csv.WriteOptions(include_header=False)
    )


def _importable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
        return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us"))  # with a zone: the time in UTC, as Derby keeps none
    if pa.types.is_dictionary(column.type) or pa.types.is_null(column.type):
        return column.cast(pa.string())
    return column


def _sql_type(column: pa.ChunkedArray) -> str:
    kind = column.type
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        # Of the rows' own width, not of what they happen to hold: rows that are appended later may hold more.
        return "INTEGER" if kind.bit_width <= 32 else "BIGINT"
    if pa.types.is_floating(kind):
        return "DOUBLE"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if pa.types.is_date(kind):
        return "DATE"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return _text_type(column.cast(pa.string()))
    if pa.types.is_null(kind):
        return f"VARCHAR({_SHORT_TEXT})"
    raise ValueError(f"a column of type {kind} has no SQL type here; convert it to text, a number or a date first")


def _text_type(column: pa.ChunkedArray) -> str:
    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    if longest > _LONGEST_VARCHAR:
        return "CLOB"
    return f"VARCHAR({max(_SHORT_TEXT, longest)})"
