"""What parallel reading gains: a table of PostgreSQL, read by one query and by four."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.measurement import Measurement
from benchmarks.servers import Server, driver_jars, postgresql
from benchmarks.spark import local_spark
from pipeline_scripts.etl.connection import JdbcConnection
from pipeline_scripts.etl.sources.jdbc import JdbcSource
from pipeline_scripts.etl.sources.source import EVERYTHING
from pipeline_scripts.model import Model, parse_model
from stacks.settings import load_models

ROWS = 1_000_000
PARTITIONS = 4
COMMAND = "python -m benchmarks extraction"
MODEL = Path(__file__).parent.parent / "config" / "models" / "bank_churn.yaml"
# Every column of the sample model, made of the row's number alone.
TABLE = f"""
CREATE TABLE customers AS SELECT
    n::bigint AS customer_id, 'Customer ' || n AS full_name, 'DE' || lpad(n::text, 20, '0') AS account_number,
    'c' || n || '@bank.example' AS email, '+49 30 ' || n AS phone, n || ' High Street' AS address,
    DATE '1950-01-01' + (n::bigint * 7919 % 18000)::int AS date_of_birth, CASE n % 2 WHEN 0 THEN 'Female' ELSE 'Male' END AS gender,
    (ARRAY['France', 'Spain', 'Germany'])[1 + n % 3] AS country, 350 + n * 31 % 500 AS credit_score, n % 11 AS tenure_years,
    (n * 97 % 250000)::double precision AS balance, 1 + n % 4 AS products, n % 2 AS has_credit_card, n % 3 % 2 AS is_active,
    (n * 89 % 200000)::double precision AS estimated_salary, (n % 5 = 0)::int AS churned,
    TIMESTAMP '2026-01-01' + n * INTERVAL '1 second' AS updated_at
FROM generate_series(1, {ROWS}) AS n
"""  # noqa: E501


def measure() -> Iterator[Measurement]:
    """Fill the table, read it once to warm everything up, then with one partition and with four, in turn."""
    with tempfile.TemporaryDirectory(prefix="baton-extraction-") as name, postgresql(Path(name)) as server:
        drivers = {"spark.driver.extraClassPath": os.pathsep.join(driver_jars())}
        spark = local_spark(Path(name), drivers, cores=PARTITIONS)
        try:
            server.execute(spark, [TABLE, "ANALYZE customers"])
            walls: dict[int, list[float]] = {1: [], PARTITIONS: []}
            _read(spark, server, PARTITIONS)
            for _ in range(2):
                for partitions, found in walls.items():
                    found.append(_read(spark, server, partitions))
        finally:
            spark.stop()
    best = {partitions: min(found) for partitions, found in walls.items()}
    yield Measurement(
        name="extract_parallel_ratio",
        value=round(best[1] / best[PARTITIONS], 2),
        unit="x",
        command=COMMAND,
        detail={"rows": ROWS, "columns": 18, "walls": walls, "cores": os.cpu_count()},
    )


def _model(partitions: int) -> Model:
    content = load_models([MODEL], [])[0].model_dump(mode="json")
    content["source"] |= {"table": "customers", "partitions": partitions}
    return parse_model(content)


def _read(spark: SparkSession, server: Server, partitions: int) -> float:
    """Seconds for every row to arrive in Spark as the model declares it."""
    connection = JdbcConnection(url=server.url, driver=server.driver, user=server.user, password=server.password)
    started = time.perf_counter()
    frame = JdbcSource(spark=spark, connection=connection, model=_model(partitions)).read(EVERYTHING)
    frame.write.format("noop").mode("overwrite").save()
    return time.perf_counter() - started


if __name__ == "__main__":
    for measurement in measure():
        measurement.write()
        print(f"{measurement.name}: {measurement.value} {measurement.unit} {measurement.detail}")
