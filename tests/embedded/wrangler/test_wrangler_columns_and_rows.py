"""Columns and rows are managed as the container manages them."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.embedded.wrangler.drawn import choose, values


def test_columns_are_dropped_renamed_and_duplicated(people: DataFrame) -> None:
    dropped = choose(people, "manage_columns", "Drop column", "drop_column", {"column_to_drop": ["note", "products"]})
    assert dropped.columns == ["id", "city", "balance"]
    single = choose(people, "manage_columns", "Drop column", "drop_column", {"column_to_drop": "note"})
    assert single.columns == ["id", "city", "balance", "products"]
    pair = {"input_column": "city", "new_name": "Ort.größe"}
    renamed = choose(people, "manage_columns", "Rename column", "rename_column", pair)
    assert renamed.columns[1] == "Ort.größe" and values(renamed, "Ort.größe") == values(people, "city")
    copied = choose(people, "manage_columns", "Duplicate column", "duplicate_column", pair)
    assert values(copied, "Ort.größe") == values(copied, "city")


@pytest.mark.parametrize(
    ("way", "key", "parameters", "order"),
    [
        ("Move to start", "move_to_start", {"column_to_move": "note"}, "note id city balance products"),
        ("Move to end", "move_to_end", {"column_to_move": ["city", "id"]}, "balance products note id city"),
        ("Move to index", "move_to_index", {"column_to_move": "id", "index": "2"}, "city balance id products note"),
        (
            "Move after",
            "move_after",
            {"column_to_move": "id", "target_column": "balance"},
            "city balance id products note",
        ),
        (
            "Move before",
            "move_before",
            {"column_to_move": "note", "target_column": "city"},
            "id note city balance products",
        ),
    ],
)
def test_columns_are_moved(people: DataFrame, way: str, key: str, parameters: dict[str, Any], order: str) -> None:
    given = {"move_type": way, f"{key}_parameters": parameters}
    assert choose(people, "manage_columns", "Move column", "move_column", given).columns == order.split()


def test_columns_are_concatenated_without_what_is_missing(people: DataFrame) -> None:
    pair = {"left_column": "id", "right_column": "city", "delimiter": "·"}
    table = choose(people, "manage_columns", "Concatenate columns", "concat_columns", pair)
    assert values(table, "id_city") == ["1·Łódź", "2·  Köln ", "3·東京", "4", "5·Köln"]


def test_rows_are_sorted_and_freed_of_duplicates_and_empty_ones(spark: SparkSession) -> None:
    table = spark.createDataFrame([(1, "b"), (1, "b"), (None, None), (0, "é")], "n long, t string")
    assert choose(table, "manage_rows", "Drop duplicates", "drop_duplicates", {}).count() == 3
    assert choose(table, "manage_rows", "Drop empty", "drop_empty", {}).count() == 3
    down = choose(table, "manage_rows", "Sort", "sort", {"sort_by": "n", "order": "Descending"})
    assert values(down, "n") == [1, 1, 0, None]
    up = choose(table, "manage_rows", "Sort", "sort", {"conditions": [{"sort_by": "n", "order": "Ascending"}]})
    assert values(up, "n") == [None, 0, 1, 1]
