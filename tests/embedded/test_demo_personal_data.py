"""The search for personal data finds what was planted, wherever it hides, and nothing else."""

import base64
import gzip
import io
import json
import tarfile
import time
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from moto import mock_aws

from embedded.demo.personal_values import PersonalValues
from embedded.demo.search import Searched, search_buckets, search_logs
from embedded.demo.unpacking import contents

COLUMNS = {
    "ID": {"type": "integer", "treatment": "surrogate"},
    "NAME": {"type": "string", "treatment": "drop"},
    "IBAN": {"type": "string", "treatment": "keyed_hash"},
    "ROW": {"type": "integer", "treatment": "drop"},
    "COUNTRY": {"type": "string", "treatment": "keep"},
}
ROWS = [
    {"ID": 15634602, "NAME": "Jürgen Österreicher", "IBAN": "DE89370400440532013000", "ROW": 1, "COUNTRY": "Germany"},
    {"ID": 15647311, "NAME": "Hill", "IBAN": "FR7630006000011234567890189", "ROW": 2, "COUNTRY": "France"},
    {"ID": 15619304, "NAME": "Walker", "IBAN": "ES9121000418450200051332", "ROW": 3, "COUNTRY": "Spain"},
]


@pytest.fixture(scope="module")
def values() -> PersonalValues:
    return PersonalValues(COLUMNS, pd.DataFrame(ROWS))


def found(values: PersonalValues, name: str, content: bytes) -> set[str]:
    return {value for _, part in contents(name, content) for value in values.within(part)}


def packed_tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/notes.txt")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def packed_zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", content)
    return buffer.getvalue()


def as_parquet(columns: dict[str, list[Any]]) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


PLAIN = b"x,DE89370400440532013000,y"


@pytest.mark.parametrize(
    ("name", "content", "value"),
    [
        ("csv", b"1,Hill,0.5\n", "Hill"),
        ("spark row", b"Row(ID=15634602, AGE=42)", "15634602"),
        ("number as float", b"15634602.0,1\n", "15634602"),
        ("log line", b"could not read customer Walker today", "Walker"),
        ("inside other bytes", b"\x08\x11zzDE89370400440532013000zz", "DE89370400440532013000"),
        ("gzip", gzip.compress(PLAIN), "DE89370400440532013000"),
        ("model archive", packed_tar(PLAIN), "DE89370400440532013000"),
        ("archive in archive", packed_tar(packed_zip(PLAIN)), "DE89370400440532013000"),
        ("escaped JSON", json.dumps({"a": [{"who": "Jürgen Österreicher"}]}).encode(), "Jürgen Österreicher"),
        ("capture", json.dumps({"data": base64.b64encode(b"a,Hill").decode(), "encoding": "BASE64"}).encode(), "Hill"),
        ("JSON lines", b'{"a": 1}\n{"name": "Hill"}\n', "Hill"),
        ("parquet integers", as_parquet({"n": [1, 15647311]}), "15647311"),
        ("parquet texts", as_parquet({"t": ["other", "Hill"]}), "Hill"),
        ("parquet column name", as_parquet({"FR7630006000011234567890189": [1]}), "FR7630006000011234567890189"),
    ],
)
def test_finds_a_planted_value(values: PersonalValues, name: str, content: bytes, value: str) -> None:
    assert found(values, name, content) == {value}


@pytest.mark.parametrize(
    "content",
    [
        b"Germany,France,Spain,619,1,2,3\n",
        b"uphill battle, Hillside, downHill",
        b"loss=0.15634602123, 3.15634602",
        b"a15634602f 156346021",
        b"event 15634602-aaaa-bbbb-cccc-123456789012 came",
        json.dumps({"count": 3, "rows": 10000}).encode(),
    ],
)
def test_is_quiet_where_nothing_personal_is(values: PersonalValues, content: bytes) -> None:
    assert found(values, "quiet", content) == set()


def test_every_long_value_is_found_at_every_offset(values: PersonalValues) -> None:
    for offset in range(17):
        assert values.within(b"." * offset + PLAIN) == {"DE89370400440532013000"}


def test_words_of_the_software_count_as_whole_cells_only() -> None:
    heedful = PersonalValues(COLUMNS, pd.DataFrame(ROWS), software=[b"# Walker alias method"])
    assert found(heedful, "prose", b"Walker alias method, and DE89370400440532013000") == {"DE89370400440532013000"}
    assert found(heedful, "cell", b"1,Walker,0.5") == {"Walker"}
    assert len(heedful) == 9


def test_counts_what_cannot_be_searched(values: PersonalValues) -> None:
    assert values.left_out == 3, "the row numbers 1, 2 and 3 say nothing"
    assert len(values) == 9


def searched(values: PersonalValues, prepare: Callable[[Any, Any], None]) -> Searched:
    with mock_aws():
        session = boto3.Session("test", "test", region_name="eu-west-1")
        clients: dict[str, Any] = {"s3": session.client("s3"), "logs": session.client("logs")}
        clients["s3"].create_bucket(Bucket="zone", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        clients["logs"].create_log_group(logGroupName="/jobs")
        clients["logs"].create_log_stream(logGroupName="/jobs", logStreamName="one")
        prepare(clients["s3"], clients["logs"])
        result = search_buckets(clients["s3"], values, ["zone"])
        search_logs(clients["logs"], values, result)
        return result


def log(logs: Any, message: str) -> None:
    events = [{"timestamp": int(time.time() * 1000), "message": message}]
    logs.put_log_events(logGroupName="/jobs", logStreamName="one", logEvents=events)


def test_searches_objects_their_keys_and_logs(values: PersonalValues) -> None:
    def prepare(s3: Any, logs: Any) -> None:
        s3.put_object(Bucket="zone", Key="a/part.parquet", Body=as_parquet({"t": ["Walker"]}))
        s3.put_object(Bucket="zone", Key="by-customer/15619304/x.csv", Body=b"1,2")
        log(logs, "failed on row (DE89370400440532013000)")

    result = searched(values, prepare)
    assert result.values_found == 3
    assert {finding.column for finding in result.findings} == {"NAME", "ID", "IBAN"}
    assert any(finding.place.startswith("log group /jobs") for finding in result.findings)
    assert (result.objects, result.log_events) == (2, 1)


def test_finds_nothing_in_clean_zones(values: PersonalValues) -> None:
    def prepare(s3: Any, logs: Any) -> None:
        s3.put_object(
            Bucket="zone", Key="a/part.parquet", Body=as_parquet({"age_group": ["30-39"], "customer_ref": [1]})
        )
        log(logs, "read 10000 rows")

    assert searched(values, prepare).values_found == 0
