"""`baton erase` against a canned AWS: what it leaves where, and what it says."""

import json
from typing import Any

import pytest
from canned import Refused, World

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


def report_of(world: World, connection: Any) -> None:
    """Answer the job's start with the report that the job would leave."""

    def start(arguments: Any) -> Any:
        name = arguments["Arguments"]["--erasure"]
        world.put(f"s3://evidence/bank_churn/erasures/{name}.json", REPORT)
        return {"JobRunId": "jr_1"}

    world.answers["glue.StartJobRun"] = start


def test_the_key_travels_to_the_vault_and_in_no_argument(baton: Any, erasing: World, connection: Any) -> None:
    report_of(erasing, connection)
    result = baton("erase", input="4711-secret\n")
    assert result.exit_code == 0, result.output
    [(_, put)] = asked(connection, "s3.PutObject")
    assert put["Bucket"] == "vault"
    assert json.loads(put["Body"]) == {"key": "4711-secret", "asked_by": "arn:aws:sts::1:assumed-role/engineer/ada"}
    [(_, start)] = asked(connection, "glue.StartJobRun")
    assert put["Key"] == f"bank_churn/erasures/{start['Arguments']['--erasure']}.json"
    assert "4711" not in json.dumps(start)
    assert "4711" not in result.output
    assert "CUSTOMER_ID 41 stands for nobody now" in " ".join(result.output.split())
    assert "r1" in result.output


def test_a_request_can_be_gone_on_with_and_told_as_json(baton: Any, erasing: World, connection: Any) -> None:
    report_of(erasing, connection)
    told = json.loads(baton("erase", "--request", "e1", "--json").stdout)
    assert told["held_in"] == REPORT["held_in"]
    assert not asked(connection, "s3.PutObject")


def test_a_running_job_is_waited_for_by_asking_again(baton: Any, erasing: World) -> None:
    def busy(_: Any) -> Any:
        raise Refused("ConcurrentRunsExceededException", "Concurrent runs exceeded")

    erasing.answers["glue.StartJobRun"] = busy
    assert spoken(baton("erase", "--request", "e1")) == (
        "baton: job etl-job is running; when it has ended, ask again: baton erase --request e1"
    )


def test_a_job_that_failed_says_why_and_how_to_go_on(baton: Any, erasing: World) -> None:
    failed = {"JobRunState": "FAILED", "ErrorMessage": "s3://vault: another run changed it meanwhile"}
    erasing.answers["glue.GetJobRun"] = lambda _: {"JobRun": failed}
    assert "ended FAILED: s3://vault: another run changed it meanwhile; baton erase --request e1" in spoken(
        baton("erase", "--request", "e1")
    )
