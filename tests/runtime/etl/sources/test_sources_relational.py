"""What only a database can be: read within the range of a key, and filtered by the database itself."""

from datetime import timedelta

import pytest
from pyspark.sql import SparkSession

from pipeline_scripts.etl.sources.source import EVERYTHING, PROBLEM, Window
from tests.runtime.etl.servers import Server
from tests.runtime.etl.sources.stages import RelationalStage, moment, read, row


@pytest.fixture(params=["postgresql_server", "mariadb_server"])
def stage(request: pytest.FixtureRequest, spark: SparkSession) -> RelationalStage:
    server: Server = request.getfixturevalue(request.param)
    return RelationalStage(spark=spark, server=server)


def test_rows_are_read_in_parallel_within_the_keys_range(stage: RelationalStage) -> None:
    stage.fill([row(number) for number in range(1, 101)])
    frame = stage.source(partitions=4, fetch_size=7).read(EVERYTHING)
    assert frame.rdd.getNumPartitions() == 4
    assert frame.where(frame[PROBLEM].isNull()).count() == 100


def test_a_moment_is_compared_to_the_microsecond_and_by_the_database(stage: RelationalStage) -> None:
    low, high = moment(3, 12) + timedelta(microseconds=123_456), moment(4, 12) + timedelta(microseconds=654_321)
    tick = timedelta(microseconds=1)
    moments = [low - tick, low, high, high + tick]
    stage.fill([row(number, CHANGED=changed) for number, changed in enumerate(moments, 1)])
    source = stage.source()
    assert source.newest() == high + tick
    frame = source.read(Window(low=low, high=high))
    assert [item["CHANGED"] for item in read(frame)] == [low, high]
    plan = frame._jdf.queryExecution().executedPlan().toString()
    assert "PushedFilters: [Or(" in plan or "PushedFilters: [*Or(" in plan


def test_a_key_that_is_no_number_leaves_the_splitting_to_the_watermark(stage: RelationalStage) -> None:
    columns = {
        "ID": {"type": "string", "treatment": "surrogate", "output": "ref"},
        "CHANGED": {"type": "timestamp", "treatment": "drop"},
    }
    stage.fill([{"ID": f"k{number}", "CHANGED": moment(number)} for number in range(1, 21)])
    frame = stage.source(columns, partitions=4).read(EVERYTHING)
    assert frame.rdd.getNumPartitions() == 4
    assert frame.count() == 20
