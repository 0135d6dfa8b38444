"""What a kind of source cannot do, and connections that would lead elsewhere, are refused before synthesis."""

from pathlib import Path
from typing import Any

import pytest

from stacks.connections import Connection
from stacks.settings import ConfigurationError
from stacks.source_access import certificate_file
from tests.infrastructure.sources_assembly import (
    BANK_CA,
    COMPANY_SECRET,
    CONNECTIONS,
    KEY,
    READER,
    environment_with,
    model_on,
)

MISFITS: list[tuple[str, dict[str, Any], str]] = [
    ("dynamodb", {"table": "a table"}, "table: for dynamodb it is a table's name"),
    ("dynamodb", {"table": None, "query": "select 1"}, "query: dynamodb answers no SQL"),
    ("mongodb", {"table": "system.users"}, "table: for mongodb it is a collection's name"),
    ("redis", {"table": " "}, "table: for redis it is a pattern of keys"),
    ("redis", {"format": "csv"}, "format: redis holds no files"),
    ("postgresql", {"table": ""}, "table: for postgresql it is a name"),
    ("s3", {"table": "/exports"}, "table: for s3 it is a prefix in the bucket"),
    ("s3", {"table": "exports/*"}, "table: for s3 it is a prefix in the bucket"),
    ("s3", {"table": "exports/${aws:username}"}, "table: for s3 it is a prefix in the bucket"),
    ("s3", {"table": "s3://bank-exports/x"}, "table: for s3 it is a prefix in the bucket"),
    ("s3", {"format": None}, "format: s3 holds files"),
    ("s3", {"watermark": "CUSTOMER_ID"}, "watermark: files are told apart by last_modified"),
]


@pytest.mark.parametrize(("name", "change", "sentence"), MISFITS)
def test_what_a_source_cannot_do_is_refused(name: str, change: dict[str, Any], sentence: str) -> None:
    connections: dict[str, Connection] = environment_with(CONNECTIONS).connections
    source = model_on(name, connections[name]).source.model_copy(update=change)
    assert str(connections[name].misfit(source)).startswith(sentence)


@pytest.mark.parametrize("name", CONNECTIONS)
def test_what_a_source_can_do_is_accepted(name: str) -> None:
    connections: dict[str, Connection] = environment_with(CONNECTIONS).connections
    assert connections[name].misfit(model_on(name, connections[name]).source) is None


FAULTY: list[tuple[str, dict[str, Any], str]] = [
    ("postgresql", {"host": "db/other?ssl=off"}, "host"),
    ("sqlserver", {"database": "core;encrypt=false"}, "database"),
    ("postgresql", {"secret": COMPANY_SECRET.rsplit("-", 1)[0]}, "secret"),
    ("postgresql", {"secret": COMPANY_SECRET.replace("eu-west-1", "us-east-1")}, "reach only their own region"),
    ("s3", {"key": KEY.replace("eu-west-1", "us-east-1")}, "reach only their own region"),
    ("s3key", {"role": READER}, "with a role it is that role which needs the key"),
    ("s3", {"key": "alias/exports"}, "key"),
    ("s3role", {"role": "arn:aws:iam::333333333333:role/*"}, "role"),
    ("redis", {"password": "x"}, "password"),
    ("mysql", {"certificate_authority": BANK_CA}, "only PostgreSQL's takes one along"),
    ("verified", {"certificate_authority": "/etc/ssl/bank.pem"}, "certificate_authority"),
]


@pytest.mark.parametrize(("name", "change", "sentence"), FAULTY)
def test_a_connection_that_would_lead_elsewhere_is_refused(name: str, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        environment_with({name: {**CONNECTIONS[name], **change}})


CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY_BESIDE = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("content", "engine", "sentence"),
    [
        (None, "mongodb", "there is no such certificate_authority"),
        ("nothing", "mongodb", "certificates as PEM"),
        (CERTIFICATE + KEY_BESIDE, "mongodb", "no private key"),
        (CERTIFICATE * 2, "postgresql", "reads one certificate, not 2"),
    ],
)
def test_a_file_that_is_no_authority_for_its_reader_is_refused(
    content: str | None, engine: str, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "bank.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=sentence):
        certificate_file(path, engine)


def test_a_bundle_serves_a_reader_that_reads_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "bank.pem"
    path.write_text(CERTIFICATE * 2)
    assert certificate_file(path, "documentdb") == path
