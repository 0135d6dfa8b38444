"""Both backends watch the same four things, and nothing that they find is lost."""

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from botocore.session import Session
from botocore.validate import validate_parameters

from baton.monitoring.plan import interval_minutes, monitor_plans

OPEN, MANAGED = "dev", "prod"
DEFINITIONS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {key: body["Properties"] for key, body in template["Resources"].items() if body["Type"] == kind}


def literal(value: Any) -> Any:
    """A template's value as a request would carry it: every reference becomes a plausible word."""
    if isinstance(value, list):
        return [literal(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::")):
        [(function, argument)] = value.items()
        if function == "Fn::Join":
            return str(argument[0]).join(literal(part) for part in argument[1])
        if function == "Fn::Sub":
            return re.sub(r"\$\{[^}]*\}", "x", str(argument))
        return "arn:aws:service:eu-west-1:000000000000:kind/value"
    return {key: literal(item) for key, item in value.items()}


def requests(assembly: Any) -> list[dict[str, Any]]:
    schedules = of_type(assembly.stack(OPEN, "serving"), "AWS::Scheduler::Schedule")
    return [json.loads(literal(schedule["Target"]["Input"])) for schedule in schedules.values()]


def test_the_open_backend_asks_for_all_four_monitors(assembly: Any) -> None:
    asked = {request["monitor"]: request for request in requests(assembly)}
    assert asked.keys() == {"data_quality", "model_quality", "bias", "explainability"}
    assert {name for name, request in asked.items() if request["needs_labels"]} == {"model_quality", "bias"}
    assert {name for name, request in asked.items() if request["needs_model"]} == {"explainability"}


def test_an_open_job_is_a_valid_request_but_for_its_name(assembly: Any) -> None:
    shape = Session().get_service_model("sagemaker").operation_model("CreateProcessingJob").input_shape
    for request in requests(assembly):
        validate_parameters({**request["job"], "ProcessingJobName": "name"}, shape)


def test_an_open_job_stands_isolated_in_the_private_network_and_encrypts_everything(assembly: Any) -> None:
    for request in requests(assembly):
        job = request["job"]
        network = job["NetworkConfig"]
        assert network["EnableNetworkIsolation"] is True
        assert network["EnableInterContainerTrafficEncryption"] is True
        assert network["VpcConfig"]["Subnets"]
        assert job["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"]
        assert job["ProcessingOutputConfig"]["KmsKeyId"]


def test_an_open_job_starts_its_script_with_every_folder_it_is_given(assembly: Any) -> None:
    for request in requests(assembly):
        entrypoint = request["job"]["AppSpecification"]["ContainerEntrypoint"]
        assert entrypoint[:4] == ["python3", "-m", "pipeline_scripts", f"monitoring.{request['monitor']}"]
        assert ("--ground-truth" in entrypoint) == request["needs_labels"]
        assert ("--model" in entrypoint) == request["needs_model"]
        folders = {entry["InputName"] for entry in request["job"]["ProcessingInputs"]}
        assert folders == {"code", "wheels", "baseline"}


def test_an_open_job_compares_with_the_served_versions_evidence(assembly: Any) -> None:
    for schedule in of_type(assembly.stack(OPEN, "serving"), "AWS::Scheduler::Schedule").values():
        assert {"Ref": "EvidenceUri"} in schedule["Target"]["Input"]["Fn::Join"][1]


def test_every_schedule_has_a_dead_letter_queue_and_retries(assembly: Any) -> None:
    schedules = [
        schedule
        for _, _, template in assembly.each()
        for schedule in of_type(template, "AWS::Scheduler::Schedule").values()
    ]
    assert schedules
    for schedule in schedules:
        assert schedule["Target"]["DeadLetterConfig"]["Arn"]
        assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_every_rule_of_monitoring_has_a_dead_letter_queue_and_retries(assembly: Any) -> None:
    for environment in (OPEN, MANAGED):
        rules = of_type(assembly.stack(environment, "monitoring"), "AWS::Events::Rule")
        assert len(rules) == 2
        for rule in rules.values():
            for target in rule["Targets"]:
                assert target["DeadLetterConfig"]["Arn"]
                assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_managed_definition_is_a_valid_request(assembly: Any, kind: str) -> None:
    template = assembly.stack(MANAGED, "serving")
    [properties] = of_type(template, f"AWS::SageMaker::{kind}JobDefinition").values()
    shape = Session().get_service_model("sagemaker").operation_model(f"Create{kind}JobDefinition").input_shape
    validate_parameters({**literal(properties), "JobDefinitionName": "name"}, shape)


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_managed_definition_is_encrypted_private_and_has_the_versions_baseline(assembly: Any, kind: str) -> None:
    template = assembly.stack(MANAGED, "serving")
    [properties] = of_type(template, f"AWS::SageMaker::{kind}JobDefinition").values()
    network = properties["NetworkConfig"]
    assert network["EnableInterContainerTrafficEncryption"] is True
    assert network["EnableNetworkIsolation"] is (kind != "ModelExplainability")
    assert network["VpcConfig"]["Subnets"]
    assert properties["JobResources"]["ClusterConfig"]["VolumeKmsKeyId"]
    assert properties[f"{kind}JobOutputConfig"]["KmsKeyId"]
    assert {"Ref": "EvidenceUri"} in json.loads(
        json.dumps(properties[f"{kind}BaselineConfig"]["ConstraintsResource"]["S3Uri"]["Fn::Join"][1])
    )


def test_a_managed_schedule_points_to_its_definition_and_waits_for_the_endpoint(assembly: Any) -> None:
    template = assembly.stack(MANAGED, "serving")
    schedules = {
        key: body for key, body in template["Resources"].items() if body["Type"] == "AWS::SageMaker::MonitoringSchedule"
    }
    [endpoint] = of_type(template, "AWS::SageMaker::Endpoint")
    types = set()
    for schedule in schedules.values():
        config = schedule["Properties"]["MonitoringScheduleConfig"]
        types.add(config["MonitoringType"])
        assert f"{config['MonitoringType']}" in json.dumps(template["Resources"][_definition_of(config)]["Type"])
        assert endpoint in schedule["DependsOn"]
    assert types == set(DEFINITIONS)


def _definition_of(config: dict[str, Any]) -> str:
    [name, attribute] = config["MonitoringJobDefinitionName"]["Fn::Select"][1]["Fn::Split"][1]["Fn::GetAtt"]
    assert attribute == "JobDefinitionArn"
    return str(name)


def test_each_environment_has_one_backend(assembly: Any) -> None:
    for environment, managed in ((OPEN, False), ("staging", True), (MANAGED, True)):
        template = assembly.stack(environment, "serving")
        assert len(of_type(template, "AWS::SageMaker::MonitoringSchedule")) == (4 if managed else 0)
        assert len(of_type(template, "AWS::Scheduler::Schedule")) == (0 if managed else 4)


@pytest.mark.parametrize("environment", [OPEN, MANAGED])
def test_drift_starts_a_training_from_exactly_the_four_drift_alarms(assembly: Any, environment: str) -> None:
    template = assembly.stack(environment, "monitoring")
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    drift = {key for key, alarm in alarms.items() if alarm["MetricName"] == "Violations"}
    assert len(drift) == 4
    [rule] = [
        rule
        for rule in of_type(template, "AWS::Events::Rule").values()
        if rule["EventPattern"]["source"] == ["aws.cloudwatch"]
    ]
    assert {arn["Fn::GetAtt"][0] for arn in rule["EventPattern"]["resources"]} == drift
    assert rule["EventPattern"]["detail"] == {"state": {"value": ["ALARM"]}}


def test_an_alarm_keeps_its_state_between_answers_and_silence_alarms_after_three(assembly: Any) -> None:
    alarms = of_type(assembly.stack(OPEN, "monitoring"), "AWS::CloudWatch::Alarm").values()
    for alarm in alarms:
        if alarm["MetricName"] == "Violations":
            assert alarm["TreatMissingData"] == "ignore"
        if alarm["MetricName"] == "Unknown":
            assert (alarm["EvaluationPeriods"], alarm["Period"]) == (3, 3600)
            assert alarm["TreatMissingData"] == "notBreaching"


def test_metrics_may_be_published_in_the_namespaces_of_monitors_only(assembly: Any) -> None:
    for environment in (OPEN, MANAGED):
        for policy in of_type(assembly.stack(environment, "monitoring"), "AWS::IAM::Policy").values():
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Action"] == "cloudwatch:PutMetricData":
                    assert statement["Condition"]["StringLike"]["cloudwatch:namespace"]


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [
        ("cron(0 * ? * * *)", 60),
        ("cron(0 0/6 ? * * *)", 360),
        ("cron(0 */2 ? * * *)", 120),
        ("cron(0 7 ? * * *)", 1440),
        ("rate(1 hour)", 60),
        ("rate(2 days)", 2880),
    ],
)
def test_the_interval_of_a_schedule(schedule: str, minutes: int) -> None:
    assert interval_minutes(schedule) == minutes


@pytest.mark.parametrize("schedule", ["rate(5 minutes)", "rate(1 fortnight)"])
def test_fails_when_a_schedule_is_finer_than_the_captures_folders(schedule: str) -> None:
    with pytest.raises(ValueError, match="schedule must be a cron"):
        interval_minutes(schedule)


def test_monitors_with_labels_look_back_a_day(assembly: Any) -> None:
    from stacks.settings import load_models
    from tests.conftest import ROOT

    [model] = load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])
    windows = {
        plan.name: cdk.Duration.minutes(plan.window_minutes).to_hours()
        for plan in monitor_plans(model, backend="managed")
    }
    assert windows == {"data_quality": 1, "model_quality": 24, "bias": 24, "explainability": 1}
