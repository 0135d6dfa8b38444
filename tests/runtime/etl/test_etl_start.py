import json
import re
import subprocess
import sys
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from pipeline_scripts.etl.arguments import parse_arguments
from pipeline_scripts.etl.connection import find_connection, find_hash_key
from pipeline_scripts.etl.errors import EtlError
from tests.runtime.etl.workbench import REPO

GIVEN = {
    "engine": "postgresql",
    "connection_name": "core",
    "secret_arn": "arn:secret",
    "pseudonym_secret_arn": "arn:key",
    "curated_uri": "s3://curated/m/",
    "vault_uri": "s3://vault/m",
    "shared_vault_uri": "s3://vault/shared",
    "code_commit": "abc",
}


def argv(**changed: str) -> list[str]:
    return [part for name, value in (GIVEN | changed).items() for part in (f"--{name}", value)]


class Secrets:
    """Secrets Manager with one secret."""

    def __init__(self, content: Any) -> None:
        self._text = content if isinstance(content, str) else json.dumps(content)

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        return {"SecretString": self._text}


class Glue:
    """Glue with one connection."""

    def __init__(self, properties: dict[str, str]) -> None:
        self._properties = properties

    def get_connection(self, Name: str, HidePassword: bool) -> dict[str, Any]:
        assert HidePassword
        return {"Connection": {"ConnectionProperties": self._properties}}


def test_arguments_are_found_among_glues_own() -> None:
    reserved = ["--JOB_NAME", "etl", "--enable-metrics", "--TempDir", "s3://t/", "--model_json", "x"]
    arguments = parse_arguments([*reserved, *argv(as_of="2026-02-28"), "--continuous-log", "true"])
    assert arguments.curated_uri == "s3://curated/m"
    assert arguments.as_of == date(2026, 2, 28)
    assert arguments.code_commit == "abc"


def test_a_source_that_is_no_database_has_a_place_instead_of_a_connection() -> None:
    with pytest.raises(EtlError, match="--place is missing; add it"):
        parse_arguments(argv(engine="redis"))
    assert parse_arguments(argv(engine="redis", place="{}")).place == "{}"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"mode": "some"}, "--mode must be one of auto, full, backfill, got 'some'"),
        ({"backfill_from": "2026-01-01"}, "go with --mode backfill"),
        ({"mode": "backfill", "backfill_from": "2026-01-02"}, "needs --backfill_from and, no earlier, --backfill_to"),
        (
            {"mode": "backfill", "backfill_from": "2026-01-02", "backfill_to": "2026-01-01"},
            "needs --backfill_from and, no earlier, --backfill_to",
        ),
        ({"mode": "backfill", "backfill_from": "x", "backfill_to": "x"}, "--backfill_from must be a date"),
    ],
)
def test_a_mode_that_makes_no_sense_is_refused(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(EtlError, match=sentence):
        parse_arguments(argv(**given))


def test_arguments_may_have_an_equals_sign() -> None:
    assert parse_arguments([f"--{name}={value}" for name, value in GIVEN.items()]).secret_arn == "arn:secret"


def test_ages_are_counted_today_unless_told() -> None:
    before = datetime.now(timezone.utc).date()
    assert before <= parse_arguments(argv()).as_of <= datetime.now(timezone.utc).date()


@pytest.mark.parametrize("name", sorted(GIVEN.keys() - {"secret_arn"}))
def test_missing_argument_is_named(name: str) -> None:
    given = argv()
    position = given.index(f"--{name}")
    with pytest.raises(EtlError, match=f"--{name} is missing; add it"):
        parse_arguments(given[:position] + given[position + 2 :])
    with pytest.raises(EtlError, match=f"--{name} is missing; add it"):
        parse_arguments(given[: position + 1] + given[position + 2 :])


def test_day_that_is_none_is_refused() -> None:
    with pytest.raises(EtlError, match="--as_of must be a date as YYYY-MM-DD, got '2026-02-30'"):
        parse_arguments(argv(as_of="2026-02-30"))


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("jdbc:postgresql://h:5432/d", "org.postgresql.Driver"),
        ("jdbc:mysql://h:3306/d", "com.mysql.cj.jdbc.Driver"),
        ("jdbc:sqlserver://h:1433;databaseName=d", "com.microsoft.sqlserver.jdbc.SQLServerDriver"),
        ("jdbc:oracle:thin:@//h:1521/d", "oracle.jdbc.OracleDriver"),
    ],
)
def test_driver_follows_the_engine(url: str, driver: str) -> None:
    secrets = Secrets({"username": "reader", "password": "hush"})
    found = find_connection(name="c", secret_arn="s", glue=Glue({"JDBC_CONNECTION_URL": url}), secrets=secrets)
    options = found.options()
    assert options["driver"] == driver
    assert ("useCursorFetch" in options) == url.startswith("jdbc:mysql")
    assert "hush" not in repr(found)


def test_driver_that_the_connection_names_wins() -> None:
    properties = {"JDBC_CONNECTION_URL": "jdbc:derby:memory:x", "JDBC_DRIVER_CLASS_NAME": "a.Driver"}
    secrets = Secrets({"username": "reader", "password": "hush"})
    assert find_connection(name="c", secret_arn="s", glue=Glue(properties), secrets=secrets).driver == "a.Driver"


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({}, "JDBC_CONNECTION_URL must begin with jdbc:<engine>:"),
        ({"JDBC_CONNECTION_URL": "jdbc:db2://h/d"}, "no driver is known for db2; set JDBC_DRIVER_CLASS_NAME"),
    ],
)
def test_connection_that_leads_nowhere_is_refused(properties: dict[str, str], sentence: str) -> None:
    with pytest.raises(EtlError, match=sentence):
        find_connection(name="c", secret_arn="s", glue=Glue(properties), secrets=Secrets({}))


@pytest.mark.parametrize("content", ["hunter2", {"username": "reader"}, ["x"], {"username": "r", "password": 5}])
def test_secret_that_is_incomplete_is_refused_unquoted(content: Any) -> None:
    glue = Glue({"JDBC_CONNECTION_URL": "jdbc:postgresql://h/d"})
    with pytest.raises(EtlError, match="must be a JSON object with username and password as text") as refusal:
        find_connection(name="c", secret_arn="arn:s", glue=glue, secrets=Secrets(content))
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(("key", "sentence"), [("zz" * 32, "key is not hex"), ("ab" * 31, "key has 31 bytes")])
def test_weak_hash_key_is_refused_unquoted(key: str, sentence: str) -> None:
    with pytest.raises(EtlError, match=sentence) as refusal:
        find_hash_key(secret_arn="arn:k", secrets=Secrets({"key": key}))
    assert key not in str(refusal.value)
    assert find_hash_key(secret_arn="arn:k", secrets=Secrets({"key": "ab" * 32})) == bytes([0xAB] * 32)


def test_entry_ends_with_one_sentence_and_no_traceback() -> None:
    script = REPO / "pipeline_scripts/etl/glue_entry.py"
    run = subprocess.run(
        [sys.executable, str(script), "--JOB_NAME", "etl"],
        env={"PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert run.stderr == "EtlError: arguments: --engine is missing; add it to the job's default arguments\n"


def test_runtime_names_no_column() -> None:
    """What the job knows of columns comes from the model alone."""
    for path in (REPO / "pipeline_scripts/etl").glob("*.py"):
        text = path.read_text()
        if path.name == "patterns.py":
            text = re.sub(r"\bIBAN\b|IBAN_LENGTHS", "", text)  # there it is a kind of number, not a column
        assert not re.search(r"CUSTOMER_ID|customer_ref|IBAN|churn", text), path


def test_entry_is_all_that_glue_needs_beside_the_zip() -> None:
    script = Path(REPO / "pipeline_scripts/etl/glue_entry.py").read_text()
    assert set(re.findall(r"^from (\S+) import", script, re.MULTILINE)) == {
        "pipeline_scripts.etl.errors",
        "pipeline_scripts.etl.job",
    }
