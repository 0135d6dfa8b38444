"""`baton erase` against a canned AWS: what it leaves where, and what it says."""

import json
from typing import Any

import pytest
from canned import World

from tests.cli.test_commands import asked, spoken

REPORT = {
    "ordinals": {"CUSTOMER_ID": 41},
    "held_in": [{"run_id": "r1", "dataset_uri": "s3://curated/bank_churn/runs/r1/", "rows": 1}],
}


@pytest.fixture
def erasing(world: World) -> World:
    world.outputs["baton-dev-data-lake"] |= {"VaultBucketName": "vault", "EvidenceBucketName": "evidence"}
    world.answers["sts.GetCallerIdentity"] = lambda _: {"Arn": "arn:aws:sts::1:assumed-role/engineer/ada"}
    world.answers["s3.PutObject"] = lambda _: {}
    return world


def report_of(world: World) -> None:
    """Answer the workflow's start with the report that the job would leave."""
    begin = world.answers["stepfunctions.StartExecution"]

    def start(arguments: Any) -> Any:
        name = json.loads(arguments["input"])["erasure"]
        world.put(f"s3://evidence/bank_churn/erasures/{name}.json", REPORT)
        return begin(arguments)

    world.answers["stepfunctions.StartExecution"] = start


def test_the_key_travels_to_the_vault_and_in_no_argument(baton: Any, erasing: World, connection: Any) -> None:
    report_of(erasing)
    result = baton("erase", input="4711-secret\n")
    assert result.exit_code == 0, result.output
    [(_, put)] = asked(connection, "s3.PutObject")
    assert put["Bucket"] == "vault"
    assert json.loads(put["Body"]) == {"key": "4711-secret", "asked_by": "arn:aws:sts::1:assumed-role/engineer/ada"}
    [(_, start)] = asked(connection, "stepfunctions.StartExecution")
    assert put["Key"] == f"bank_churn/erasures/{json.loads(start['input'])['erasure']}.json"
    assert "4711" not in json.dumps(start)
    assert "4711" not in result.output
    assert "CUSTOMER_ID 41 stands for nobody now" in " ".join(result.output.split())
    assert "r1" in result.output


def test_a_request_can_be_gone_on_with_and_told_as_json(baton: Any, erasing: World, connection: Any) -> None:
    report_of(erasing)
    told = json.loads(baton("erase", "--request", "e1", "--json").stdout)
    assert told["held_in"] == REPORT["held_in"]
    assert not asked(connection, "s3.PutObject")


def test_an_erasure_that_found_another_run_at_work_can_be_gone_on_with(baton: Any, erasing: World) -> None:
    busy = {"outcome": "busy", "reason": "another run is at work: e7"}
    erasing.answers["stepfunctions.DescribeExecution"] = lambda _: {"status": "SUCCEEDED", "output": json.dumps(busy)}
    said = spoken(baton("erase", "--request", "e1"))
    assert "was skipped: another run is at work: e7" in said
    assert said.endswith("to go on: baton erase --request e1")


def test_an_erasure_that_failed_says_why_and_how_to_go_on(baton: Any, erasing: World) -> None:
    failed = {"status": "FAILED", "cause": "Overtaken: s3://vault: another run changed it meanwhile"}
    erasing.answers["stepfunctions.DescribeExecution"] = lambda _: failed
    said = spoken(baton("erase", "--request", "e1"))
    assert "ended FAILED: Overtaken: s3://vault: another run changed it meanwhile" in said
    assert said.endswith("to go on: baton erase --request e1")
