"""A lake in moto, and a Derby database in the memory of Spark's own JVM."""

import json
from collections.abc import Iterator
from datetime import date
from itertools import count

import boto3
import pytest
from moto import mock_aws
from pyspark.sql import SparkSession

from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.sources.open import Clients
from tests.runtime.etl.workbench import COLUMNS, CURATED, HASH_KEY, ROWS, VAULT, Database, Job, model_of

NUMBERS = count()  # a database of its own for every test


@pytest.fixture
def job(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        clients = Clients(**{name: boto3.client(name) for name in ("s3", "glue", "secretsmanager")})
        database = Database(spark=spark, name=f"db{next(NUMBERS)}")
        database.fill(ROWS)
        for bucket in ("curated", "vault", "evidence"):
            location = {"LocationConstraint": "eu-west-1"}
            clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
        properties = {
            "JDBC_CONNECTION_URL": database.url,
            "JDBC_DRIVER_CLASS_NAME": "org.apache.derby.jdbc.EmbeddedDriver",
        }
        definition = {"Name": "source", "ConnectionType": "JDBC", "ConnectionProperties": properties}
        clients.glue.create_connection(ConnectionInput=definition)
        secret = {"username": "baton", "password": "baton"}
        arguments = Arguments(
            engine="postgresql",
            connection_name="source",
            secret_arn=clients.secretsmanager.create_secret(Name="source", SecretString=json.dumps(secret))["ARN"],
            pseudonym_secret_arn=clients.secretsmanager.create_secret(
                Name="pseudonyms", SecretString=json.dumps({"key": HASH_KEY.hex()})
            )["ARN"],
            curated_uri=CURATED,
            vault_uri=VAULT,
            shared_vault_uri="s3://vault/shared",
            evidence_uri="s3://evidence/clients",
            code_commit="c0ffee",
            as_of=date(2026, 1, 15),
        )
        yield Job(spark=spark, database=database, clients=clients, model=model_of(COLUMNS), arguments=arguments)
