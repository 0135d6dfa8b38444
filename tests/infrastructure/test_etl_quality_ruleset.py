"""The quality rules as Glue has them: what the text says, who may evaluate it, and with which arguments."""

import json
from types import SimpleNamespace
from typing import Any, cast

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from aws_cdk.assertions import Template
from botocore.validate import ParamValidator

from baton.etl.dqdl import LONGEST, ruleset_of
from baton.etl.quality_ruleset import QualityRuleset
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from baton.specification.quality import Quality
from tests.infrastructure.platform_assembly import MODEL, Stack, statements, synthesised


@pytest.fixture(scope="module")
def stack() -> Stack:
    return synthesised()["dev"]["Ingestion"]


@pytest.fixture(scope="module")
def allowed(stack: Stack) -> list[dict[str, Any]]:
    return list(statements(stack.only("AWS::IAM::Policy", containing="QualityRole")["PolicyDocument"]))


def ruled(*rules: dict[str, Any]) -> ModelSpecification:
    return MODEL.model_copy(update={"quality": Quality.model_validate({"rules": rules})})


def lines(*rules: dict[str, Any]) -> list[str]:
    """The rules in Glue's language, one a line."""
    text = ruleset_of(ruled(*rules))
    return [] if text is None else [line.strip().removesuffix(",") for line in text.splitlines()[1:-1]]


@pytest.mark.parametrize(
    ("rule", "dqdl"),
    [
        ({"check": "complete", "column": "country"}, 'IsComplete "country"'),
        ({"check": "complete", "column": "country", "at_least": 0.95}, 'Completeness "country" >= 0.95'),
        ({"check": "complete", "column": "country", "at_least": 1e-7}, 'Completeness "country" >= 0.0000001'),
        (
            {"check": "range", "column": "credit_score", "min": 300, "max": 850},
            'CustomSql "select count(*) from primary where `credit_score` < 300 or `credit_score` > 850" = 0',
        ),
        (
            {"check": "range", "column": "balance", "max": 0.5},
            'CustomSql "select count(*) from primary where isnan(`balance`) or `balance` > 0.5" = 0',
        ),
        (
            {"check": "one_of", "column": "gender", "values": ["Female", ""]},
            'ColumnValues "gender" in ["Female", EMPTY, NULL]',
        ),
        ({"check": "one_of", "column": "churned", "values": [0, -1]}, 'ColumnValues "churned" in [0, -1, NULL]'),
        (
            {"check": "unique", "column": "customer_ref"},
            'CustomSql "select count(`customer_ref`) - count(distinct `customer_ref`) from primary" = 0',
        ),
        ({"check": "row_count", "min": 5}, "RowCount >= 5"),
        ({"check": "row_count", "min": 5, "max": 9}, "(RowCount >= 5) and (RowCount <= 9)"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_rule_has_one_form_in_glues_language(rule: dict[str, Any], dqdl: str) -> None:
    assert lines(rule) == [dqdl]


@pytest.mark.parametrize("member", ['a "b"', "O'Neill", "a\\b", "a\nb", "2026-01-01", "10:15", "9:15 AM", " a", "null"])
def test_a_member_that_glue_would_misread_is_compared_by_its_bytes(member: str) -> None:
    [dqdl] = lines({"check": "one_of", "column": "gender", "values": ["Köln", member]})
    assert dqdl.startswith('CustomSql "select count(*) from primary where hex(`gender`) not in (')
    assert f"'4BC3B66C6E', '{member.encode().hex().upper()}'" in dqdl


def test_the_change_of_the_row_count_is_not_for_glue_and_alone_makes_no_ruleset() -> None:
    change = {"check": "row_count_change", "at_most": 0.5}
    assert lines(change, {"check": "row_count"}) == ["RowCount >= 1"]
    assert ruleset_of(ruled(change)) is None
    assert ruleset_of(ruled()) is None


def test_freshness_asks_of_the_newest_and_not_of_every_row() -> None:
    columns = {**MODEL.columns, "CHANGED": MODEL.columns["CHURNED"].model_copy(update={"output": "Changed"})}
    changed = ruled({"check": "fresh", "column": "Changed", "within_hours": 26}).model_copy(update={"columns": columns})
    assert 'where `changed` >= current_timestamp - interval 26 hours" > 0' in str(ruleset_of(changed))


def test_a_ruleset_longer_than_glue_takes_is_refused_with_the_way_out() -> None:
    values = [f"branch-{number:06}" for number in range(5_000)]
    model = ruled({"check": "one_of", "column": "gender", "values": values})
    with pytest.raises(ValueError, match=f"quality.rules take .* and Glue takes {LONGEST}; shorten the longest set"):
        ruleset_of(model)


def test_the_ruleset_is_the_models_rules_on_the_table_of_its_versions(stack: Stack) -> None:
    ruleset = stack.only("AWS::Glue::DataQualityRuleset")
    assert ruleset["Ruleset"] == ruleset_of(MODEL)
    assert ruleset["TargetTable"] == {"DatabaseName": "baton_dev", "TableName": "bank_churn_versions"}


def test_a_model_without_rules_has_no_ruleset() -> None:
    scope = cdk.Stack(cdk.App(), "Stack")
    assert QualityRuleset.of(scope, "Quality", platform=platform_in(scope), model=ruled()) is None
    assert not scope.node.try_find_child("Quality")


def test_the_evaluation_reads_published_versions_and_writes_nothing_to_the_lake(allowed: list[dict[str, Any]]) -> None:
    actions = {action for statement in allowed for action in statement["Action"]}
    assert not {action for action in actions if action.startswith("s3:")} - {"s3:GetObject", "s3:ListBucket"}
    assert not any("*" in action for action in actions)
    places = [json.dumps(place) for s in allowed if "s3:GetObject" in s["Action"] for place in s["Resource"]]
    assert len(places) == 2
    assert any("/bank_churn/runs/*" in place for place in places)
    assert any("aws-glue-ml-data-quality-assets-eu-west-1/*" in place for place in places)


def test_the_evaluations_metrics_go_to_one_namespace(allowed: list[dict[str, Any]]) -> None:
    [metrics] = [s for s in allowed if "cloudwatch:PutMetricData" in s["Action"]]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Glue Data Quality"}}


def test_glue_alone_takes_the_role(stack: Stack) -> None:
    role = stack.only("AWS::IAM::Role", containing="QualityRole")
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "glue.amazonaws.com"}


def platform_in(scope: cdk.Stack) -> Platform:
    """Of a platform, what the ruleset asks for."""
    return cast(
        "Platform",
        SimpleNamespace(
            database_name="baton_dev",
            region="eu-west-1",
            zones=SimpleNamespace(curated=s3.Bucket(scope, "Curated")),
            keys=SimpleNamespace(data=kms.Key(scope, "Key")),
        ),
    )


@pytest.fixture(scope="module")
def workflow() -> Template:
    """A state machine that registers a version and evaluates the rules on it."""
    scope = cdk.Stack(cdk.App(), "Stack")
    quality = QualityRuleset.of(scope, "Quality", platform=platform_in(scope), model=MODEL)
    assert quality is not None
    run_id, uri = sfn.JsonPath.string_at("$.run_id"), sfn.JsonPath.string_at("$.dataset_uri")

    def call(action: str, parameters: Any) -> tasks.CallAwsService:
        return tasks.CallAwsService(
            scope, action, service="glue", action=action, iam_resources=["*"], parameters=parameters
        )

    register = call("createPartition", quality.register_arguments(run_id=run_id, dataset_uri=uri))
    evaluate = call("startDataQualityRulesetEvaluationRun", quality.evaluate_arguments(run_id=run_id))
    machine = sfn.StateMachine(
        scope, "Machine", definition_body=sfn.DefinitionBody.from_chainable(register.next(evaluate))
    )
    quality.grant_evaluate(machine)
    caller = iam.Role(scope, "Caller", assumed_by=iam.AccountRootPrincipal())
    quality.grant_evaluate(caller)
    return Template.from_stack(scope)


def states(workflow: Template) -> dict[str, Any]:
    [machine] = workflow.find_resources("AWS::StepFunctions::StateMachine").values()
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    return dict(json.loads("".join(part if isinstance(part, str) else "x" for part in parts))["States"])


@pytest.mark.parametrize("action", ["createPartition", "startDataQualityRulesetEvaluationRun"])
def test_the_workflows_arguments_are_what_glue_takes(workflow: Template, action: str) -> None:
    parameters = concrete(states(workflow)[action]["Parameters"])
    operation = botocore.session.get_session().get_service_model("glue").operation_model(action[0].upper() + action[1:])
    assert ParamValidator().validate(parameters, operation.input_shape).generate_report() == ""


def concrete(value: Any) -> Any:
    """Arguments as they may look in an execution: what is computed then has some value of its type."""
    if isinstance(value, list):
        return [concrete(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key.removesuffix(".$"): concrete(item) if not key.endswith(".$") else ["x"] if "Array" in item else "x"
        for key, item in value.items()
    }


def test_only_the_version_at_hand_is_evaluated(workflow: Template) -> None:
    source = states(workflow)["startDataQualityRulesetEvaluationRun"]["Parameters"]["DataSource"]["GlueTable"]
    assert source["TableName"] == "bank_churn_versions"
    predicate = source["AdditionalOptions"]["pushDownPredicate.$"]
    assert predicate == "States.Format('run_id=\"{}\"', $.run_id)"


def test_who_evaluates_may_pass_one_role_to_glue_alone(workflow: Template) -> None:
    policies = workflow.find_resources("AWS::IAM::Policy")
    [document] = [body["Properties"]["PolicyDocument"] for key, body in policies.items() if key.startswith("Caller")]
    [passing] = [s for s in statements(document) if "iam:PassRole" in s["Action"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    assert "QualityRole" in json.dumps(passing["Resource"])
    assert len(passing["Resource"]) == 1
