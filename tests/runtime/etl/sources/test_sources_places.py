"""Where a source answers comes with the job's arguments, its login from a secret; what is wrong there is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline_scripts.etl.arguments import parse_arguments
from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.dynamodb import DynamoSource
from pipeline_scripts.etl.sources.files import FileSource
from pipeline_scripts.etl.sources.mongodb import MongoSource
from pipeline_scripts.etl.sources.open import Clients, open_source
from pipeline_scripts.etl.sources.places import DocumentPlace, DynamoPlace, FilesPlace, RedisPlace, find_place
from pipeline_scripts.etl.sources.redis import RedisSource
from pipeline_scripts.etl.sources.source import EVERYTHING
from tests.runtime.etl.servers import HOST
from tests.runtime.etl.sources.stages import COLUMNS, RedisStage, row
from tests.runtime.etl.workbench import model_of

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:source-AbCdEf"


class Secrets:
    """A Secrets Manager that holds one login."""

    def get_secret_value(self, **request: Any) -> dict[str, str]:
        assert request == {"SecretId": ARN}
        return {"SecretString": json.dumps({"username": "reader", "password": "s3cret"})}


def place(engine: str, *, arn: str | None = ARN, **content: Any) -> Any:
    return find_place(engine=engine, place_json=json.dumps(content), secret_arn=arn, secrets=Secrets())


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def test_each_engine_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    login = {"user": "reader", "password": "s3cret"}
    role = "arn:aws:iam::444455556666:role/reader"
    assert place("redis", host="cache", port=6380, database=3) == RedisPlace(
        host="cache", port=6380, database=3, **login
    )
    assert place(
        "documentdb", host="docs", port=27017, database="crm", ca_file=str(tmp_path / "ca.pem")
    ) == DocumentPlace(host="docs", port=27017, database="crm", certificates="PEM", **login)
    assert place("dynamodb", arn=None, role=role) == DynamoPlace(role_arn=role, region="eu-west-1")
    assert place("s3", arn=None, bucket="landing", role=None) == FilesPlace(bucket="landing", region="eu-west-1")


def test_password_shows_nowhere() -> None:
    assert "s3cret" not in repr(place("redis", host="cache", port=6379))
    assert "s3cret" not in repr(place("mongodb", host="docs", port=27017, database="crm"))


@pytest.mark.parametrize(
    ("engine", "text", "arn", "sentence"),
    [
        ("dbase", "{}", ARN, "--engine dbase is unknown here; choose one of mongodb, documentdb, redis, dynamodb, s3"),
        ("redis", "[]", ARN, "--place must be a JSON object"),
        ("redis", "{", ARN, "--place must be a JSON object"),
        ("redis", '{"port": 6379}', ARN, "--place says no host, which redis needs; add it to the connection"),
        ("redis", '{"host": "c", "port": "6379"}', ARN, "--place: port must be of type int"),
        ("redis", '{"host": "c", "port": 6379, "bucket": "b"}', ARN, "--place says bucket, which redis has not"),
        ("redis", '{"host": "c", "port": 6379}', None, "--secret_arn is missing, and redis asks for a login"),
        (
            "mongodb",
            '{"host": "d", "port": 1, "database": "x", "ca_file": "/none"}',
            ARN,
            "ca_file /none is no",
        ),
    ],
)
def test_place_that_says_too_little_or_too_much_is_refused(
    engine: str, text: str, arn: str | None, sentence: str
) -> None:
    with pytest.raises(EtlError) as refusal:
        find_place(engine=engine, place_json=text, secret_arn=arn, secrets=Secrets())
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("engine", "place", "kind"),
    [
        ("dynamodb", {}, DynamoSource),
        ("mongodb", {"host": HOST, "port": 1, "database": "crm"}, MongoSource),
        ("documentdb", {"host": HOST, "port": 1, "database": "crm"}, MongoSource),
        ("redis", {"host": HOST, "port": 1}, RedisSource),
        ("s3", {"bucket": "landing"}, FileSource),
    ],
)
def test_source_is_opened_by_its_engine(engine: str, place: dict[str, Any], kind: type) -> None:
    unused: Any = None
    given = ["pseudonym_secret_arn", "curated_uri", "vault_uri", "shared_vault_uri", "code_commit"]
    told = {"engine": engine, "place": json.dumps(place), "secret_arn": ARN, **dict.fromkeys(given, "x")}
    arguments = parse_arguments([f"--{name}={value}" for name, value in told.items()])
    clients = Clients(s3=unused, glue=unused, secretsmanager=Secrets())
    opened = open_source(
        spark=unused, model=model_of(COLUMNS), arguments=arguments, clients=clients, objects=unused, frames=unused
    )
    assert type(opened) is kind


def test_server_that_refuses_the_login_is_told_in_one_sentence(redis: Any, spark: SparkSession) -> None:
    stage = RedisStage(spark=spark, server=redis)
    stage.fill([row(1)])
    wrong = RedisPlace(host=HOST, port=redis.port, database=0, user="default", password="wrong", tls=False)
    source = RedisSource(spark=spark, model=model_of(COLUMNS, watermark=None), place=wrong)
    with pytest.raises(EtlError, match=r"redis: keys CLIENTS: AuthenticationError; see that it answers") as refusal:
        source.read(EVERYTHING)
    assert "wrong" not in str(refusal.value)


def test_keys_that_hold_no_hash_are_refused_by_their_kind(redis: Any, spark: SparkSession) -> None:
    stage = RedisStage(spark=spark, server=redis)
    stage.fill([row(1)])
    with stage.client as client:
        client.rpush(f"{stage.prefix}:recent", "a")
    with pytest.raises(EtlError, match=r"also hold a list, and only hashes are rows; narrow the pattern"):
        stage.source().read(EVERYTHING)


def test_table_that_is_not_there_is_told_in_one_sentence(aws: Any, spark: SparkSession) -> None:
    place = DynamoPlace(region=aws.region, endpoint_url=aws.url)
    source = DynamoSource(spark=spark, model=model_of(COLUMNS, table="nowhere", watermark=None), place=place)
    with pytest.raises(EtlError, match="dynamodb: table nowhere: ResourceNotFoundException; see that it exists"):
        source.read(EVERYTHING)
