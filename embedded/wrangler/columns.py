"""Manage columns."""

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from embedded.wrangler.choices import OperatorFailed, col, family, number, require


def drop_column(table: DataFrame, column_to_drop: str | list[str]) -> DataFrame:
    """Leave columns out."""
    names = _several(column_to_drop)
    require(table, *names)
    return table.select(*(col(name) for name in table.columns if name not in names))


def duplicate_column(table: DataFrame, input_column: str, new_name: str) -> DataFrame:
    """Add a copy of a column."""
    _new(new_name, input_column)
    return table.withColumn(new_name, col(input_column))


def rename_column(
    table: DataFrame,
    input_column: str | None = None,
    new_name: str | None = None,
    columns_to_rename: list[dict[str, str]] | None = None,
) -> DataFrame:
    """Give columns other names."""
    pairs = [(pair["input_column"], pair["new_name"]) for pair in columns_to_rename or []]
    if input_column and new_name:
        pairs.append((input_column, new_name))
    for old, new in pairs:
        require(table, old)
        _new(new, old)
        table = table.withColumnRenamed(old, new)
    return table


def move_to_index(table: DataFrame, column_to_move: str | list[str], index: Any) -> DataFrame:
    """Put columns, in the order they have, at a place among the others."""
    moved = _moved(table, column_to_move)
    place = int(number(index, "index"))
    if not 0 <= place < len(table.columns):
        raise OperatorFailed(f"parameter index must be from 0 to {len(table.columns) - 1}")
    return _placed(table, moved, place)


def move_to_start(table: DataFrame, column_to_move: str | list[str]) -> DataFrame:
    """Put columns before all others."""
    return _placed(table, _moved(table, column_to_move), 0)


def move_to_end(table: DataFrame, column_to_move: str | list[str]) -> DataFrame:
    """Put columns after all others."""
    return _placed(table, _moved(table, column_to_move), len(table.columns))


def move_after(table: DataFrame, column_to_move: str | list[str], target_column: str) -> DataFrame:
    """Put columns after another one."""
    return _beside(table, column_to_move, target_column, after=1)


def move_before(table: DataFrame, column_to_move: str | list[str], target_column: str) -> DataFrame:
    """Put columns before another one."""
    return _beside(table, column_to_move, target_column, after=0)


def concatenate_columns(
    table: DataFrame, left_column: str, right_column: str, delimiter: str = "_", output_column: str | None = None
) -> DataFrame:
    """Join two columns as text; one that is missing is left out, with its delimiter."""
    require(table, left_column, right_column)
    sides = (col(left_column).cast("string"), col(right_column).cast("string"))
    return table.withColumn(output_column or f"{left_column}_{right_column}", F.concat_ws(delimiter, *sides))


def _several(given: str | list[str]) -> list[str]:
    return given if isinstance(given, list) else [given]


def _new(name: str, old: str) -> None:
    if not name.strip() or name == old:
        raise OperatorFailed("parameter new_name must be another name than the column has")


def _moved(table: DataFrame, given: str | list[str]) -> list[str]:
    names = _several(given)
    require(table, *names)
    return sorted(names, key=table.columns.index)


def _placed(table: DataFrame, moved: list[str], place: int) -> DataFrame:
    others = [name for name in table.columns if name not in moved]
    return table.select(*(col(name) for name in [*others[:place], *moved, *others[place:]]))


def _beside(table: DataFrame, given: str | list[str], target: str, *, after: int) -> DataFrame:
    moved = _moved(table, given)
    require(table, target)
    if target in moved:
        raise OperatorFailed(f"parameter target_column: {target!r} is itself moved")
    others = [name for name in table.columns if name not in moved]
    return _placed(table, moved, others.index(target) + after)


MANAGE_COLUMNS = family(
    drop_column=("Drop column", drop_column),
    duplicate_column=("Duplicate column", duplicate_column),
    rename_column=("Rename column", rename_column),
    concat_columns=("Concatenate columns", concatenate_columns),
    move_column=(
        "Move column",
        family(
            "move_type",
            move_to_start=("Move to start", move_to_start),
            move_to_end=("Move to end", move_to_end),
            move_to_index=("Move to index", move_to_index),
            move_after=("Move after", move_after),
            move_before=("Move before", move_before),
        ),
    ),
)
