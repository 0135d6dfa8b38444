"""The databases that run here, read through their own drivers."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline_scripts.etl.connection import JdbcConnection
from pipeline_scripts.etl.errors import SourceRefused
from pipeline_scripts.etl.source import read_source
from tests.runtime.etl.servers import Server
from tests.runtime.etl.workbench import model_of

DDL = "id BIGINT PRIMARY KEY, name VARCHAR(80), balance DOUBLE PRECISION, born DATE"
COLUMNS: dict[str, dict[str, Any]] = {
    "ID": {"type": "integer", "treatment": "surrogate", "output": "ref"},
    "NAME": {"type": "string", "treatment": "drop"},
    "BALANCE": {"type": "double", "treatment": "keep", "output": "balance"},
    "BORN": {"type": "date", "treatment": "drop"},
}


@pytest.fixture(params=["postgresql_server", "mariadb_server"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def connection(server: Server) -> JdbcConnection:
    return JdbcConnection(url=server.url, driver=server.driver, user=server.user, password=server.password)


def test_rows_of_a_real_database_are_read_in_parallel_and_once(server: Server, spark: SparkSession) -> None:
    rows = [f"{number}, 'Łódź {number}', {number / 4}, DATE '1990-01-01'" for number in range(1, 101)]
    server.fill(spark, table="clients", ddl=DDL, rows=[*rows, "101, NULL, NULL, NULL"])
    model = model_of(COLUMNS, table="clients", partitions=4, fetch_size=7)
    frame = read_source(spark=spark, connection=connection(server), model=model)
    assert frame.rdd.getNumPartitions() == 4
    found = sorted(tuple(row) for row in frame.select("ID", "NAME", "BALANCE").collect())
    assert found == [*((n, f"Łódź {n}", n / 4) for n in range(1, 101)), (101, None, None)]


def test_column_that_the_model_does_not_declare_is_refused(server: Server, spark: SparkSession) -> None:
    server.fill(spark, table="clients", ddl=f"{DDL}, phone VARCHAR(20)", rows=[])
    with pytest.raises(SourceRefused, match="phone: the source has this column and the model does not declare it"):
        read_source(spark=spark, connection=connection(server), model=model_of(COLUMNS, table="clients"))
