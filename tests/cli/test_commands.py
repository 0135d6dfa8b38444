"""Each command against a canned AWS: what it prints, what it asks for, and what it says when it cannot."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from canned import ARN, PAGE, WAIVER, CannedConnection, Refused, World, payload

REPORT = "s3://monitoring/bank_churn/reports/data_quality/job-1/constraint_violations.json"
POINTER = {"run_id": "r1", "dataset_uri": "s3://curated/x/", "dataset_hash": "f00d" * 16, "rows": 10_000}
VIOLATION = {"feature_name": "balance", "constraint_check_type": "baseline_drift_check", "description": "0.4 > 0.15"}


def asked(connection: CannedConnection, operation: str) -> list[tuple[str, dict[str, Any]]]:
    return [(who, arguments) for who, name, arguments in connection.calls if name == operation]


def spoken(result: Any) -> str:
    """Standard error, as one line."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def test_status_tells_versions_endpoint_and_alarms(baton: Any, world: World) -> None:
    world.put(REPORT, {"violations": [VIOLATION]})
    result = baton("status")
    assert result.exit_code == 0, result.output
    for text in ("InService", "PendingManualApproval", "0.8610", "617812cabcde", "Ada", "grace", "3 violations"):
        assert text in result.output


def test_status_as_json_says_which_version_serves(baton: Any) -> None:
    facts = json.loads(baton("status", "--json").stdout)
    assert [(entry["version"]["number"], entry["serving"]) for entry in facts["versions"]] == [(2, False), (1, True)]
    assert facts["monitors"]["data_quality"] is None
    assert facts["alarms"][0]["state"] == "ALARM"


def test_status_before_any_endpoint(baton: Any, world: World) -> None:
    def nothing(_: Any) -> Any:
        raise Refused("ValidationException", "Could not find endpoint arn:x.")

    world.answers["sagemaker.DescribeEndpoint"] = nothing
    assert "not created" in baton("status").output


def test_environment_that_is_not_deployed(baton: Any) -> None:
    assert spoken(baton("status", "--env", "prod")) == (
        "baton: no model is deployed in prod; deploy with: make deploy ENV=prod"
    )


def test_choice_among_several_models(baton: Any, world: World) -> None:
    world.outputs["baton-dev-fraud-serving"] = {}
    assert "choose one with --model: bank-churn, fraud" in spoken(baton("status"))
    assert baton("status", "--model", "bank_churn").exit_code == 0


def test_evidence_shows_gate_bias_and_attributions(baton: Any) -> None:
    output = baton("evidence", "2").output
    for text in ("Passed all.", "DPPL.gender=Female", "-0.2 to 0.2", "0.4000", "accuracy"):
        assert text in output
    assert output.index("country") < output.index("balance"), "the strongest attribution comes first"


def test_evidence_shows_the_comparison_with_the_champion(baton: Any) -> None:
    output = baton("evidence", "2").output
    for text in ("Against version 1, the champion", "2000", "0.8540", "-0.0013", "p, of losing more than 0.02"):
        assert text in output


def test_evidence_shows_who_waived_what_until_when(baton: Any) -> None:
    output = " ".join(baton("evidence", "2").output.split())
    assert "waived" in output
    found = json.loads(baton("evidence", "2", "--json").output)
    [waived] = [check for check in found["checks"] if check["waived"]]
    assert (waived["name"], waived["passed"], waived["waived"]) == ("AD.gender=Female", False, WAIVER)
    assert found["comparison"]["p_value"] == 0.0025


def test_evidence_of_a_first_version_shows_no_comparison(baton: Any, world: World) -> None:
    gate = json.loads(world.objects["s3://evidence/bank_churn/e2/gate/gate.json"])
    gate["champion"] = {"champion": None, "comparable": False, "reason": "there is none"}
    world.put("s3://evidence/bank_churn/e2/gate/gate.json", gate)
    assert "Against version" not in baton("evidence", "2").output


def test_evidence_as_a_page(baton: Any, tmp_path: Path) -> None:
    page = tmp_path / "evidence.html"
    result = baton("evidence", "2", "--html", str(page))
    assert result.exit_code == 0, result.output
    assert page.read_bytes() == PAGE
    assert page.as_uri() in result.output


@pytest.mark.parametrize("name", ["bundle.json", "evidence.html"])
def test_a_page_that_is_not_what_was_registered_is_not_shown(
    baton: Any, world: World, tmp_path: Path, name: str
) -> None:
    world.objects[f"s3://evidence/bank_churn/e2/evidence/{name}"] += b" "
    page = tmp_path / "evidence.html"
    assert f"{name} is not the one that was registered; reject it" in spoken(
        baton("evidence", "2", "--html", str(page))
    )
    assert not page.exists()


def test_a_page_that_is_gone_is_said_to_be(baton: Any, world: World, tmp_path: Path) -> None:
    del world.objects["s3://evidence/bank_churn/e2/evidence/evidence.html"]
    assert "evidence.html is missing" in spoken(baton("evidence", "2", "--html", str(tmp_path / "page.html")))


def test_status_leads_from_a_waiting_version_to_its_page(baton: Any) -> None:
    output = baton("status").output
    assert "version 2 waits: baton evidence 2 --html version-2.html" in output and "version 1 waits" not in output


def test_evidence_of_no_such_version(baton: Any) -> None:
    assert spoken(baton("evidence", "7")) == "baton: bank_churn has no version 7; there is: 2, 1"


def test_evidence_that_is_incomplete(baton: Any, world: World) -> None:
    del world.objects["s3://evidence/bank_churn/e2/bias/analysis.json"]
    assert "the evidence of version 2 is incomplete" in spoken(baton("evidence", "2"))


def test_approval_is_given_as_the_compliance_officer(baton: Any, world: World, connection: CannedConnection) -> None:
    result = baton("approve", "2", "--comment", "sound")
    assert result.exit_code == 0, result.output
    assert world.statuses[2] == "Approved"
    [(who, arguments)] = asked(connection, "sagemaker.UpdateModelPackage")
    assert who == "arn:aws:iam::000000000000:role/officer"
    assert arguments["ApprovalDescription"] == "sound"
    [(_, session)] = asked(connection, "sts.AssumeRole")
    assert session["RoleSessionName"] == session["SourceIdentity"] == "grace"


def test_approval_in_ones_own_name(baton: Any, connection: CannedConnection) -> None:
    assert baton("approve", "2", "--comment", "sound", "--own-role").exit_code == 0
    assert asked(connection, "sagemaker.UpdateModelPackage")[0][0] == "caller"


def test_rejection(baton: Any, world: World) -> None:
    assert "now Rejected (it was PendingManualApproval)" in baton("reject", "2", "--comment", "unfair").output
    assert world.statuses[2] == "Rejected"


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        ("sts.AssumeRole", "grace may not take the role arn:aws:iam::000000000000:role/officer"),
        ("sagemaker.UpdateModelPackage", "grace may not set a version to Approved"),
    ],
)
def test_approval_by_somebody_else_is_refused(baton: Any, world: World, operation: str, sentence: str) -> None:
    def refuse(_: Any) -> Any:
        raise Refused("AccessDenied", "User is not authorized")

    world.answers[operation] = refuse
    said = spoken(baton("approve", "2", "--comment", "please"))
    assert said.startswith("baton: refused:")
    assert sentence in said
    assert world.statuses[2] == "PendingManualApproval"


def test_approval_needs_a_comment(baton: Any) -> None:
    assert baton("approve", "2").exit_code == 2


def test_etl_run_reports_the_new_dataset(baton: Any, world: World) -> None:
    world.put("s3://curated/bank_churn/current.json", POINTER)
    assert "10,000 rows" in baton("etl", "run").output
    assert json.loads(baton("etl", "run", "--json").stdout)["rows"] == 10_000


def test_etl_quality_tells_what_each_rule_found(baton: Any, world: World) -> None:
    found = {"rule": "range credit_score 300..850", "outcome": "FAIL", "detail": "2 row(s) rejected", "failed_rows": 2}
    world.put("s3://curated/bank_churn/current.json", {**POINTER, "manifest_uri": "s3://curated/m.json"})
    world.put("s3://curated/m.json", {"run_id": "r1", "quality": [found]})
    for text in ("data set r1", "range credit_score 300..850", "FAIL", "2 row(s) rejected"):
        assert text in baton("etl", "quality").output
    assert json.loads(baton("etl", "quality", "--json").stdout) == {"run_id": "r1", "rules": [found]}


def test_etl_quality_of_a_data_set_without_rules_says_so(baton: Any, world: World) -> None:
    world.put("s3://curated/bank_churn/current.json", {**POINTER, "manifest_uri": "s3://curated/m.json"})
    world.put("s3://curated/m.json", {"run_id": "r1"})
    assert "no rule was judged" in baton("etl", "quality").output


def test_etl_quality_before_any_data_set_says_how_to_get_one(baton: Any) -> None:
    assert "has no data set yet" in spoken(baton("etl", "quality"))


def test_etl_run_for_another_day(baton: Any, world: World, connection: CannedConnection) -> None:
    world.put("s3://curated/bank_churn/current.json", POINTER)
    assert baton("etl", "run", "--as-of", "2026-01-31").exit_code == 0
    assert ingestion_asked(connection) == {"cause": "a person", "train": False, "as_of": "2026-01-31"}
    assert baton("etl", "run", "--as-of", "yesterday").exit_code == 2


def ingestion_asked(connection: CannedConnection) -> dict[str, Any]:
    asked_for: dict[str, Any] = json.loads(asked(connection, "stepfunctions.StartExecution")[-1][1]["input"])
    return asked_for


def test_etl_run_of_everything_of_some_days_and_with_a_training(
    baton: Any, world: World, connection: CannedConnection
) -> None:
    world.put("s3://curated/bank_churn/current.json", POINTER)
    assert baton("etl", "run", "--full", "--train").exit_code == 0
    assert ingestion_asked(connection) == {"cause": "a person", "train": True, "mode": "full"}
    assert baton("etl", "run", "--from", "2026-01-01", "--to", "2026-01-31").exit_code == 0
    days = {"mode": "backfill", "backfill_from": "2026-01-01", "backfill_to": "2026-01-31"}
    assert ingestion_asked(connection) == {"cause": "a person", "train": False, **days}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--from", "2026-01-01"], "give both --from and --to"),
        (["--to", "2026-01-01"], "give both --from and --to"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from 2026-01-02 is after --to 2026-01-01"),
        (["--from", "2026-01-01", "--to", "2026-01-02", "--full"], "a full run reads every day already"),
    ],
)
def test_etl_run_of_days_that_make_no_backfill(
    baton: Any, connection: CannedConnection, options: list[str], why: str
) -> None:
    assert why in spoken(baton("etl", "run", *options))
    assert asked(connection, "stepfunctions.StartExecution") == []


def test_etl_run_shows_its_steps_and_not_what_only_decides(baton: Any, world: World) -> None:
    world.put("s3://curated/bank_churn/current.json", POINTER)
    output = baton("etl", "run").output
    assert "Extract" in output and "Close" in output
    assert "TrainOnIt" not in output


def test_etl_run_that_finds_another_at_work_says_so(baton: Any, world: World) -> None:
    busy = {"outcome": "busy", "reason": "another run is at work: e0"}
    world.answers["stepfunctions.DescribeExecution"] = lambda _: {"status": "SUCCEEDED", "output": json.dumps(busy)}
    assert spoken(baton("etl", "run")).startswith("baton: ingestion e1 was skipped: another run is at work: e0")


def test_etl_history_lists_every_run_with_its_end(baton: Any) -> None:
    output = baton("etl", "history").output
    for text in (
        "2026-11-23 02:00:01",
        "incremental",
        "10000",
        "succeeded",
        "refused: 3 automatic",
        "SSN is not declared",
    ):
        assert text in output
    newest, failed = json.loads(baton("etl", "history", "--json").stdout)
    assert (newest["rows"], newest["rejected"], newest["changed"], newest["minutes"]) == (10_000, 3, True, 7.25)
    assert (failed["rows"], failed["changed"], failed["outcome"]) == (None, None, "failed")


def test_etl_history_before_any_run(baton: Any, world: World) -> None:
    world.answers["dynamodb.Query"] = lambda _: {"Items": []}
    assert "nothing yet" in baton("etl", "history").output


def test_status_tells_the_last_ingestion(baton: Any) -> None:
    output = baton("status").output
    assert "Last ingestion" in output and "2026-11-23 02:00:01" in output
    assert json.loads(baton("status", "--json").stdout)["last_ingestion"]["run_id"] == "r2"


def test_etl_run_that_fails_says_why(baton: Any, world: World) -> None:
    cause = "job run jr_1 ended FAILED: column SSN is not declared"
    world.answers["stepfunctions.DescribeExecution"] = lambda _: {"status": "FAILED", "cause": cause}
    assert spoken(baton("etl", "run")) == f"baton: ingestion e1 ended FAILED: {cause}"


def test_train_follows_the_execution(baton: Any, world: World, connection: CannedConnection) -> None:
    world.answers["lambda.Invoke"] = lambda _: payload(
        {"started": True, "execution_arn": f"{ARN}:pipeline/p/execution/e9"}
    )
    result = baton("train", "--author", "Ada")
    assert result.exit_code == 0, result.output
    assert "Train" in result.output
    assert json.loads(asked(connection, "lambda.Invoke")[0][1]["Payload"]) == {"reason": "manual", "author": "Ada"}


def test_train_that_is_declined_says_why(baton: Any) -> None:
    assert spoken(baton("train")) == "baton: training was not started: nothing is planned"


def test_train_whose_step_fails_says_why(baton: Any, world: World) -> None:
    world.answers["lambda.Invoke"] = lambda _: payload({"started": True, "execution_arn": "arn:x/execution/e9"})
    world.answers["sagemaker.DescribePipelineExecution"] = lambda _: {
        "PipelineExecutionStatus": "Failed",
        "CreationTime": datetime(2026, 1, 1),
    }
    step = {"StepName": "Gate", "StepStatus": "Failed", "FailureReason": "AUC 0.61 is below 0.8"}
    world.answers["sagemaker.ListPipelineExecutionSteps"] = lambda _: {"PipelineExecutionSteps": [step]}
    assert "execution e9 ended Failed: step Gate: AUC 0.61 is below 0.8" in spoken(baton("train"))


def test_function_that_breaks_says_why(baton: Any, world: World) -> None:
    world.answers["lambda.Invoke"] = lambda _: payload({"errorMessage": "no table"}, error=True)
    assert spoken(baton("train")) == "baton: function start-training failed: no table"


def test_monitor_run_asks_for_a_window_and_shows_violations(
    baton: Any, world: World, connection: CannedConnection
) -> None:
    world.answers["lambda.Invoke"] = lambda _: payload({"started": True, "processing_job_name": "job-1"})
    world.put(REPORT, {"violations": [VIOLATION]})
    result = baton("monitor", "run", "data-quality", "--minutes", "15")
    assert result.exit_code == 0, result.output
    assert "balance" in result.output and "0.4 > 0.15" in result.output
    event = json.loads(asked(connection, "lambda.Invoke")[0][1]["Payload"])
    window = datetime.fromisoformat(event["window_end"]) - datetime.fromisoformat(event["window_start"])
    assert (event["monitor"], window.total_seconds()) == ("data_quality", 900)
    assert asked(connection, "scheduler.GetSchedule")[0][1] == {"Name": "ep-data-quality", "GroupName": "group"}


def test_monitor_of_another_name(baton: Any) -> None:
    assert "there is no monitor 'latency'; choose one of data_quality" in spoken(baton("monitor", "run", "latency"))


def test_monitor_while_nothing_is_served(baton: Any, world: World) -> None:
    del world.outputs["baton-dev-bank-churn-serving"]["BiasScheduleName"]
    assert "no bias schedule in dev: no version is served" in spoken(baton("monitor", "run", "bias"))


def online(asked: dict[str, Any]) -> dict[str, Any]:
    """A store that knows everybody but those whose surrogate begins with 9."""
    [wanted] = asked["Identifiers"]
    records = [
        {
            "FeatureGroupName": wanted["FeatureGroupName"],
            "RecordIdentifierValueAsString": ref,
            "Record": [{"FeatureName": "balance", "ValueAsString": f"{ref}.5"}],
            "ExpiresAt": "2027-02-22T02:15:00Z",
        }
        for ref in wanted["RecordIdentifiersValueAsString"]
        if not ref.startswith("9")
    ]
    return {"Records": records, "Errors": [], "UnprocessedIdentifiers": []}


BATCH_GET = "sagemaker-featurestore-runtime.BatchGetRecord"


def test_features_of_people_as_tables(baton: Any, world: World) -> None:
    world.answers[BATCH_GET] = online
    result = baton("features", "get", "41", "9")
    assert result.exit_code == 0, result.output
    for text in ("41", "balance", "41.5", "2027-02-22T02:15:00Z", "9: no record online"):
        assert text in result.output


def test_features_as_json_come_in_the_order_asked_for_and_a_hundred_at_a_time(
    baton: Any, world: World, connection: CannedConnection
) -> None:
    world.answers[BATCH_GET] = online
    refs = [str(ref) for ref in range(250, 99, -1)]
    found = json.loads(baton("features", "get", *refs, "250", "9", "--json").stdout)
    assert [person["customer_ref"] for person in found] == [*refs, "9"]
    assert found[0]["values"] == {"balance": "250.5"}
    assert found[-1]["values"] is None
    sizes = [
        len(arguments["Identifiers"][0]["RecordIdentifiersValueAsString"])
        for _, arguments in asked(connection, BATCH_GET)
    ]
    assert sizes == [100, 52]


def test_features_that_could_not_be_read_do_not_look_like_missing_ones(baton: Any, world: World) -> None:
    error = {
        "FeatureGroupName": "baton-dev-bank-churn",
        "RecordIdentifierValueAsString": "41",
        "ErrorCode": "AccessForbidden",
        "ErrorMessage": "no key",
    }
    world.answers[BATCH_GET] = lambda _: {"Records": [], "Errors": [error], "UnprocessedIdentifiers": []}
    assert "did not answer: AccessForbidden: no key" in spoken(baton("features", "get", "41"))
    left = {"FeatureGroupName": "baton-dev-bank-churn", "RecordIdentifiersValueAsString": ["41"]}
    world.answers[BATCH_GET] = lambda _: {"Records": [], "Errors": [], "UnprocessedIdentifiers": [left]}
    assert "too busy" in spoken(baton("features", "get", "41"))


def test_features_of_a_model_without_a_group(baton: Any, world: World) -> None:
    del world.outputs["baton-dev-bank-churn-features"]
    assert "where its file has a feature_store" in spoken(baton("features", "get", "41"))


def test_refusals_of_aws_become_one_sentence(baton: Any, world: World) -> None:
    def refuse(_: Any) -> Any:
        raise Refused("AccessDeniedException", "not allowed.")

    world.answers["sagemaker.ListModelPackages"] = refuse
    assert spoken(baton("status")) == "baton: AWS refused ListModelPackages for these credentials: not allowed"
