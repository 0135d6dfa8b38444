"""How the command finds AWS, and how it says that it cannot."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError
from typer.testing import CliRunner

from cli.connection import connect
from cli.errors import BatonError, sentence
from cli.main import app
from cli.waiting import wait_for

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-west-1",
}


def test_embedded_aws_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["status", "--embedded"])
    assert result.exit_code == 1
    assert "embedded AWS does not run" in result.stderr
    assert "python -m embedded start" in " ".join(result.stderr.split())


def test_embedded_aws_is_found_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "build" / "embedded" / "endpoint.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"environment": ENVIRONMENT}))
    client = connect(embedded=True).client("sts")
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client.meta.region_name == "eu-west-1"


def test_aws_is_found_by_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert connect(embedded=False).client("sts").meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "set AWS_PROFILE"),
        (NoRegionError(), "set AWS_REGION"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), "nothing answers at http://127.0.0.1:9"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "x"}}, "GetX"), "sign in again"),
        (
            ClientError({"Error": {"Code": "Throttling", "Message": "slow."}}, "GetX"),
            "GetX with Throttling: slow",
        ),
    ],
)
def test_errors_say_how_to_mend_them(error: Exception, words: str) -> None:
    assert words in sentence(error)


def test_waiting_is_bounded_and_says_what_it_saw() -> None:
    with pytest.raises(BatonError, match="in vain for the moon; its last state was: dark"):
        wait_for(lambda: "dark", until=lambda state: state == "full", what="the moon", seconds=0)
