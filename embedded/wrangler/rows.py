"""Manage rows."""

from pyspark.sql import DataFrame

from embedded.wrangler.choices import OperatorFailed, OperatorRefused, col, family, require


def sort(
    table: DataFrame,
    sort_by: str | None = None,
    order: str | None = None,
    conditions: list[dict[str, str]] | None = None,
) -> DataFrame:
    """Order the rows by columns; missing values come first where values rise, last where they fall."""
    pairs = [(entry["sort_by"], entry["order"]) for entry in conditions or []]
    if not pairs and sort_by and order:
        pairs = [(sort_by, order)]
    if not pairs:
        raise OperatorFailed("parameter sort_by is missing")
    require(table, *(name for name, _ in pairs))
    unknown = [way for _, way in pairs if way not in ("Ascending", "Descending")]
    if unknown:
        raise OperatorRefused(f"order {unknown[0]!r}")
    return table.orderBy(*(col(name).asc() if way == "Ascending" else col(name).desc() for name, way in pairs))


def drop_duplicates(table: DataFrame) -> DataFrame:
    """Keep one of the rows that are alike in every column."""
    return table.dropDuplicates()


def drop_empty(table: DataFrame) -> DataFrame:
    """Leave out rows in which every column is missing."""
    return table.dropna(how="all")


MANAGE_ROWS = family(
    sort=("Sort", sort),
    drop_duplicates=("Drop duplicates", drop_duplicates),
    drop_empty=("Drop empty", drop_empty),
)
