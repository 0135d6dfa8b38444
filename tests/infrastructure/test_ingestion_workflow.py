"""The ingestion workflow's shape, what starts it, who hears of it, and how little its roles may do."""

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from baton.specification.model import ModelSpecification
from pipeline_scripts.functions.record_ingestion import NAMESPACE
from stacks.acknowledgements import acknowledge
from stacks.automation_stack import CLAIM, TIME_LIMIT, AutomationStack
from stacks.connections import FileConnection
from stacks.data_lake_stack import DataLakeStack
from stacks.ingestion_stack import IngestionStack
from stacks.settings import load_environment, load_models
from stacks.training_stack import TrainingStack

ROOT = Path(__file__).parent.parent.parent
LONGEST_LOOK_BACK = 7 * 24 * 3600  # seconds: what CloudWatch allows an alarm with periods of an hour
Template = dict[str, Any]


@pytest.fixture(params=["dev", "prod"])
def template(request: pytest.FixtureRequest, assembly: Any) -> Template:
    found: Template = assembly.stack(request.param, "automation")
    return found


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The stack of a model with a feature store, files for a source, a rate, and starts on events."""
    return synthesise(
        tmp_path_factory.mktemp("full"),
        source={"schedule": "rate(6 hours)", "table": "churn/", "format": "csv", "connection": "files"},
        automation={"start_on_event": True, "late_after_hours": 168},
        with_features=True,
    )


def synthesise(
    outdir: Path, *, source: dict[str, Any], automation: dict[str, Any], with_features: bool = False
) -> Template:
    """One model's automation, changed from the sample, under the checks of cdk-nag."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "true")
        environment = load_environment("dev", ROOT / "config" / "environments")
        sample = load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])[0]
        told = sample.model_dump(mode="json")
        model = ModelSpecification.model_validate(
            {**told, "source": {**told["source"], **source}, "automation": {**told["automation"], **automation}}
        )
        files = FileConnection(engine="s3", bucket="company-files")
        reaching = environment.model_copy(update={"connections": {**environment.connections, "files": files}})
        app = cdk.App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(outdir))
        shared: dict[str, Any] = {
            "platform": DataLakeStack(
                app, "Lake", environment=environment, models=[sample], source=ROOT, commit="0123abc", author="someone"
            ).platform
        }
        training = TrainingStack(app, "Training", model=sample, **shared)
        ingestion = IngestionStack(app, "Ingestion", environment=environment, model=sample, **shared)
        AutomationStack(
            app,
            "Automation",
            environment=reaching,
            model=model,
            job=ingestion.job,
            quality=ingestion.quality,
            # Any function does: what fills the features is another station's.
            fill_features=training.start_training.function if with_features else None,
            start_training=training.start_training.function,
            **shared,
        )
        acknowledge(app)
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
        app.synth()
    found: Template = json.loads((outdir / "Automation.template.json").read_text())
    return found


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {key: body["Properties"] for key, body in template["Resources"].items() if body["Type"] == kind}


def definition(template: Template) -> dict[str, Any]:
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine").values()
    parts = machine["DefinitionString"]["Fn::Join"][1]
    written: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "reference" for part in parts))
    return written


def following(state: dict[str, Any]) -> set[str]:
    choices = {choice["Next"] for choice in state.get("Choices", [])}
    catches = {catch["Next"] for catch in state.get("Catch", [])}
    return {name for name in (state.get("Next"), state.get("Default")) if name} | choices | catches


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    return [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if any(reference["Ref"].startswith(role) for reference in policy["Roles"])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions(template: Template, role: str) -> set[str]:
    listed = [statement["Action"] for statement in statements(template, role)]
    return {action for entry in listed for action in ([entry] if isinstance(entry, str) else entry)}


def alarm(template: Template, name: str) -> dict[str, Any]:
    [found] = [
        body for key, body in of_type(template, "AWS::CloudWatch::Alarm").items() if key.startswith(f"Watch{name}")
    ]
    return found


def test_every_task_is_retried_and_its_failure_ends_in_the_ledger(full: Template) -> None:
    states = definition(full)["States"]
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
    assert len(tasks) == 12
    for name, task in tasks.items():
        assert task["Retry"], name
        [catch] = task["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"], name
        expected = {
            "RecordFailure": "Unrecorded",
            "Extract": "WorthAnotherTry",
            "RunAgain": "Done",
            "RegisterVersion": "JudgeVersion",
            "JudgeVersion": "FillFeatures",
        }
        assert catch["Next"] == expected.get(name, "RecordFailure"), name


def test_every_state_can_be_reached_and_leads_to_an_end(full: Template) -> None:
    states = definition(full)["States"]
    reached, queue = set(), [definition(full)["StartAt"]]
    while queue:
        name = queue.pop()
        if name not in reached:
            reached.add(name)
            queue += following(states[name])
    assert reached == states.keys()
    leads = {name for name, state in states.items() if state["Type"] in ("Succeed", "Fail")}
    while more := {name for name, state in states.items() if following(state) & leads} - leads:
        leads |= more
    assert leads == states.keys()


def test_a_model_without_a_store_fills_none_and_one_that_is_not_to_train_starts_none(
    template: Template, tmp_path: Path
) -> None:
    assert {"StartTraining", "FillFeatures"} <= set(definition(template)["States"])
    still = synthesise(tmp_path, source={}, automation={"train_on_new_data": False})
    assert not any("Features" in name for name in definition(still)["States"])
    assert "StartTraining" not in definition(still)["States"]
    functions = json.dumps(
        [s["Resource"] for s in statements(still, "Workflow") if s["Action"] == "lambda:InvokeFunction"]
    )
    assert "StartTraining" not in functions and "Starter" not in functions


def test_a_stopped_execution_stops_its_job(template: Template) -> None:
    states = definition(template)["States"]
    for name in ("Extract", "ExtractAgain"):
        assert states[name]["Resource"].endswith(":states:::glue:startJobRun.sync")
        assert states[name]["Parameters"] == {"JobName": "reference", "Arguments.$": "$.arguments"}
    assert {"glue:StartJobRun", "glue:BatchStopJobRun"} <= actions(template, "Workflow")


def test_a_claim_outlives_its_execution(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function").values()
    [seconds] = [
        int(variables["CLAIM_SECONDS"])
        for function in functions
        if "CLAIM_SECONDS" in (variables := function["Environment"]["Variables"])
    ]
    assert definition(template)["TimeoutSeconds"] == TIME_LIMIT.to_seconds()
    assert seconds == CLAIM.to_seconds() > TIME_LIMIT.to_seconds()


def test_the_steps_read_one_models_publication_and_write_the_ledger_alone(template: Template) -> None:
    writing = {
        action for action in actions(template, "Steps") if re.search(r":(Put|Update|Delete|Start|Create)", action)
    }
    assert writing == {
        "dynamodb:UpdateItem",
        "logs:PutLogEvents",
        "logs:CreateLogStream",
        "sagemaker:CreateAction",
        "sagemaker:CreateArtifact",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }
    [reading] = [s for s in statements(template, "StepsRecord") if s["Action"] == "s3:GetObject"]
    assert all("/bank_churn/" in json.dumps(place) for place in reading["Resource"])


def test_only_the_claim_sees_executions_and_only_of_this_workflow(template: Template) -> None:
    [seeing] = [s for s in statements(template, "Steps") if s["Action"] == "states:DescribeExecution"]
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine")
    assert {"Fn::GetAtt": [machine, "Name"]} in seeing["Resource"]["Fn::Join"][1]


def test_the_workflow_may_start_itself_and_no_other(template: Template) -> None:
    [starting] = [s for s in statements(template, "Workflow") if s["Action"] == "states:StartExecution"]
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine")
    assert starting["Resource"] == {"Ref": machine}
    again = definition(template)["States"]["RunAgain"]
    assert again["Parameters"]["StateMachineArn.$"] == "$$.StateMachine.Id"


def test_the_schedule_starts_the_workflow_and_a_lost_start_is_kept(template: Template) -> None:
    [schedule] = of_type(template, "AWS::Scheduler::Schedule").values()
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine")
    assert schedule["ScheduleExpression"] == "cron(0 2 * * ? *)"
    assert schedule["Target"]["Arn"] == {"Ref": machine}
    assert schedule["Target"]["Input"] == '{"cause":"schedule"}'
    assert schedule["Target"]["DeadLetterConfig"]["Arn"]
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_a_rate_is_a_schedule_as_well(full: Template) -> None:
    [schedule] = of_type(full, "AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "rate(6 hours)"


def test_events_start_nothing_unless_the_model_says_so(template: Template) -> None:
    patterns = [rule["EventPattern"] for rule in of_type(template, "AWS::Events::Rule").values()]
    assert [pattern["source"] for pattern in patterns] == [["aws.states"]]


def test_an_announcement_and_a_file_start_the_workflow_and_nothing_of_them_enters_it(full: Template) -> None:
    rules = [
        rule for rule in of_type(full, "AWS::Events::Rule").values() if rule["EventPattern"]["source"] != ["aws.states"]
    ]
    patterns = {rule["EventPattern"]["source"][0]: rule["EventPattern"] for rule in rules}
    assert patterns["baton.source"] == {
        "source": ["baton.source"],
        "detail-type": ["Source Ready"],
        "detail": {"model": ["bank_churn"]},
    }
    assert patterns["aws.s3"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["company-files"]}, "object": {"key": [{"prefix": "churn/"}]}},
    }
    for rule in rules:
        [target] = rule["Targets"]
        assert list(json.loads(target["Input"])) == ["cause"]
        assert target["DeadLetterConfig"]["Arn"] and target["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_people_hear_of_every_way_an_execution_can_end_badly(template: Template) -> None:
    [rule] = of_type(template, "AWS::Events::Rule").values()
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine")
    assert rule["EventPattern"]["detail-type"] == ["Step Functions Execution Status Change"]
    assert rule["EventPattern"]["detail"] == {
        "stateMachineArn": [{"Ref": machine}],
        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
    }
    [target] = rule["Targets"]
    assert "$.detail.cause" in target["InputTransformer"]["InputPathsMap"].values()
    assert target["DeadLetterConfig"]["Arn"]


@pytest.mark.parametrize("hours", [26, 168])
def test_lateness_is_the_absence_of_publications_and_of_nothing_else(
    template: Template, full: Template, hours: int
) -> None:
    late = alarm(template if hours == 26 else full, "Late")
    [stat] = [query["MetricStat"] for query in late["Metrics"] if "MetricStat" in query]
    [expression] = [query["Expression"] for query in late["Metrics"] if "Expression" in query]
    assert expression == "FILL(published, 0)"
    assert (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"]) == (NAMESPACE, "PublishedRows")
    assert (stat["Stat"], stat["Period"]) == ("SampleCount", 3600)
    assert late["EvaluationPeriods"] == hours
    assert late.get("DatapointsToAlarm", hours) == hours
    assert late["EvaluationPeriods"] * stat["Period"] <= LONGEST_LOOK_BACK
    assert late["TreatMissingData"] == "breaching"
    assert (late["ComparisonOperator"], late["Threshold"]) == ("LessThanThreshold", 1)


@pytest.mark.parametrize(("name", "metric"), [("Volume", "RowsOfUsual"), ("Rejected", "RejectedRows")])
def test_volume_and_rejections_keep_their_state_between_two_runs(template: Template, name: str, metric: str) -> None:
    found = alarm(template, name)
    assert (found["Namespace"], found["MetricName"]) == (NAMESPACE, metric)
    assert found["TreatMissingData"] == "ignore"
    assert {d["Name"] for d in found["Dimensions"]} == {"Model", "Environment"}


def test_every_alarm_tells_somebody_what_to_do(template: Template) -> None:
    for found in of_type(template, "AWS::CloudWatch::Alarm").values():
        assert found["AlarmActions"]
        assert "docs/runbook.md#" in json.dumps(found["AlarmDescription"])


def test_the_ledger_is_encrypted_recoverable_and_outlives_prods_stack(assembly: Any) -> None:
    for environment in ("dev", "prod"):
        [table] = of_type(assembly.stack(environment, "automation"), "AWS::DynamoDB::Table").values()
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["DeletionProtectionEnabled"] is (environment == "prod")


def test_the_stack_tells_what_others_need(template: Template) -> None:
    outputs = {name for name in template["Outputs"] if not name.startswith("ExportsOutput")}
    assert outputs == {"IngestionStateMachineArn", "IngestionLedgerTableName"}
