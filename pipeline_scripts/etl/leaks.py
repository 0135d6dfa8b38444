"""Looks for the source's own personal values in what was written, by comparing all of them with all of it."""

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.model import Column, Model

LONGEST_COINCIDENCE = 3  # shorter values (ages, flags, codes) meet by chance and tell nothing


def find_leaks(*, source: DataFrame, output: DataFrame, model: Model) -> list[str]:
    """Which personal column's values stand in which text column of the output; one sentence each, without a value.

    Personal is every column that is not simply kept. Of a column cut to a prefix, only values longer than that count.
    """
    texts = [name for name in output.columns if model.kind(name) == "string"]
    personal = [column for column in model.columns if column.treatment != "keep"]
    if not texts or not personal:
        return []
    written = _long_form(output, {name: F.col(name) for name in texts}, "written_in").distinct()
    values = _long_form(source, {column.name: _telling(column) for column in personal}, "value_of")
    hits = written.join(values, "value").groupBy("written_in", "value_of").agg(F.countDistinct("value").alias("values"))
    return [
        f"{hit['written_in']}: holds {hit['values']} value(s) of {hit['value_of']}; drop, hash or generalise it"
        for hit in hits.orderBy("written_in", "value_of").collect()
    ]


def _telling(column: Column) -> SparkColumn:
    """The column's values as text, NULL where they are too short to tell anything."""
    text = F.col(column.name).cast("string")
    return F.when(F.length(text) > max(LONGEST_COINCIDENCE, column.prefix or 0), text)


def _long_form(frame: DataFrame, columns: dict[str, SparkColumn], name: str) -> DataFrame:
    """One row a value: in which column it stands, and what it is."""
    cells = F.array(*(F.struct(F.lit(label).alias(name), column.alias("value")) for label, column in columns.items()))
    return frame.select(F.explode(cells).alias("cell")).select("cell.*").where(F.col("value").isNotNull())
