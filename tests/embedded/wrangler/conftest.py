"""A small Spark, and a table with holes and foreign letters."""

import pytest
from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(scope="package")
def spark(spark: SparkSession) -> SparkSession:
    """For these few rows compiling takes longer than it saves."""
    session = spark.newSession()
    session.conf.set("spark.sql.shuffle.partitions", "1")
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    return session


@pytest.fixture(scope="package")
def people(spark: SparkSession) -> DataFrame:
    rows = [
        (1, "Łódź", 10.0, 3, None),
        (2, "  Köln ", None, 4, "x"),
        (3, "東京", float("nan"), None, ""),
        (4, None, -5.0, 3, "y-7"),
        (5, "Köln", 1000.0, 3, " "),
    ]
    table = spark.createDataFrame(rows, "id long, city string, balance double, products long, note string")
    return table.coalesce(1).cache()  # else every test would ask Python for the rows again
