"""One server of each engine and one embedded AWS for all tests of sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from embedded.server import EmbeddedAws
from tests.runtime.etl.servers import Server, for_tests, mariadb, postgresql, redis_server
from tests.runtime.etl.sources.stages import DynamoStage, FileStage, MongoStage, RedisStage, RelationalStage, Stage


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with for_tests(postgresql, tmp_path_factory.mktemp("postgresql")) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with for_tests(mariadb, tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with for_tests(redis_server, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with EmbeddedAws(tmp_path_factory.mktemp("aws")) as server:
        server.client("s3").create_bucket(
            Bucket="landing", CreateBucketConfiguration={"LocationConstraint": server.region}
        )
        yield server


KINDS = ("postgresql", "mariadb", "dynamodb", "mongodb", "redis", "csv", "json", "parquet")


@pytest.fixture
def stage(request: pytest.FixtureRequest, spark: SparkSession, tmp_path: Path) -> Stage:
    """The kind of source that the test is run for."""
    kind = request.param
    if kind == "mongodb":
        return MongoStage(spark=spark)
    if kind == "redis":
        return RedisStage(spark=spark, server=request.getfixturevalue("redis"))
    if kind in ("postgresql", "mariadb"):
        return RelationalStage(spark=spark, server=request.getfixturevalue(f"{kind}_server"))
    aws = request.getfixturevalue("aws")
    if kind == "dynamodb":
        return DynamoStage(spark=spark, aws=aws)
    return FileStage(spark=spark, aws=aws, folder=tmp_path, form=kind)


@pytest.fixture(params=["csv"])
def files(request: pytest.FixtureRequest, spark: SparkSession, aws: EmbeddedAws, tmp_path: Path) -> FileStage:
    """Files of CSV, or of what the test names."""
    return FileStage(spark=spark, aws=aws, folder=tmp_path, form=request.param)
