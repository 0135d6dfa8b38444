"""Looks for personal values in what was written: all of the source's own in all of it, and whatever looks like one.

Spark's own functions find what may be personal; check digits are verified on the driver, one partition's candidates at
a time. Nothing is sampled or cut off, and clean data has next to no candidates: so it costs one pass over kept texts.
"""

from collections import Counter
from functools import reduce
from operator import or_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.patterns import KINDS, kinds_in
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


def find_patterns(*, output: DataFrame, model: Model) -> list[str]:
    """Which kept text column holds what looks like personal data, free text included; one sentence each, no value."""
    kept = [column.output for column in model.columns if column.treatment == "keep" and column.type == "string"]
    texts = {name: F.col(name) for name in kept if name}
    if not texts:
        return []
    suspicious = reduce(or_, (F.col("value").rlike(kind.candidate) for kind in KINDS))
    candidates = _long_form(output, texts, "written_in").where(suspicious).distinct()
    hits = Counter(
        (cell["written_in"], kind) for cell in candidates.toLocalIterator() for kind in set(kinds_in(cell["value"]))
    )
    return [
        f"{column}: {texts_hit} different text(s) hold what looks like a personal {kind}; drop, hash or generalise it"
        for (column, kind), texts_hit in sorted(hits.items())
    ]


def _telling(column: Column) -> SparkColumn:
    """The column's values as text, NULL where they are too short to tell anything."""
    text = F.col(column.name).cast("string")
    return F.when(F.length(text) > max(LONGEST_COINCIDENCE, column.prefix or 0), text)


def _long_form(frame: DataFrame, columns: dict[str, SparkColumn], name: str) -> DataFrame:
    """One row a value: in which column it stands, and what it is."""
    cells = F.array(*(F.struct(F.lit(label).alias(name), column.alias("value")) for label, column in columns.items()))
    return frame.select(F.explode(cells).alias("cell")).select("cell.*").where(F.col("value").isNotNull())
