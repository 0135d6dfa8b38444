"""Reads the source over JDBC: bounded, in parallel where the key is a number, a table or a query of one's own."""

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from pipeline_scripts.etl.connection import JdbcConnection
from pipeline_scripts.etl.schema import conform, match_columns
from pipeline_scripts.model import Model


def read_source(*, spark: SparkSession, connection: JdbcConnection, model: Model) -> DataFrame:
    """The source's rows with declared names and types. Lazy: nothing is read but the schema and the key's range.

    Raises:
        SourceRefused: The source is not what the model declares.
    """
    relation = _relation(model.source)
    reader = spark.read.format("jdbc").options(**connection.options()).option("fetchsize", model.source["fetch_size"])
    fields = reader.option("dbtable", relation).load().schema.fields
    key = match_columns(fields, model.columns)[model.key]
    is_number = next(column for column in model.columns if column.name == model.key).type == "integer"
    partitions = model.source["partitions"]
    bounds = _key_range(spark, connection, relation, key) if is_number and partitions > 1 else None
    if bounds is not None:
        reader = reader.options(
            partitionColumn=key, lowerBound=bounds[0], upperBound=bounds[1], numPartitions=partitions
        )
    return conform(reader.option("dbtable", relation).load(), model.columns)


def _relation(source: dict[str, Any]) -> str:
    """What stands after FROM. Spark's `query` option would do for a query, but not together with partitions."""
    return str(source["table"]) if source["table"] else f"({source['query'].strip().rstrip(';')}) baton_source"


def _key_range(spark: SparkSession, connection: JdbcConnection, relation: str, key: str) -> tuple[str, str] | None:
    """The smallest and the largest key, by one query that the database answers; None where there is no row."""
    jvm: Any = spark._jvm
    quoted = jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(connection.url).quoteIdentifier(key)
    query = f"SELECT MIN({quoted}) AS baton_low, MAX({quoted}) AS baton_high FROM {relation}"
    row = spark.read.format("jdbc").options(**connection.options()).option("query", query).load().first()
    return None if row is None or row[0] is None else (str(int(row[0])), str(int(row[1])))
