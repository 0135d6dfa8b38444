"""What the serving stack promises, in every environment."""

import json
from typing import Any

import pytest

ENVIRONMENTS = ["dev", "staging", "prod"]
VERSIONED = {
    "AWS::SageMaker::Model",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Endpoint",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SageMaker::MonitoringSchedule",
    "AWS::SageMaker::DataQualityJobDefinition",
    "AWS::SageMaker::ModelQualityJobDefinition",
    "AWS::SageMaker::ModelBiasJobDefinition",
    "AWS::SageMaker::ModelExplainabilityJobDefinition",
}
SCALING = {"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"}


@pytest.fixture(params=ENVIRONMENTS)
def template(request: pytest.FixtureRequest, assembly: Any) -> dict[str, Any]:
    found: dict[str, Any] = assembly.stack(request.param, "serving")
    return found


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {key: body for key, body in template["Resources"].items() if body["Type"] == kind}


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    [resource] = of_type(template, kind).values()
    return resource


def test_nothing_that_serves_exists_while_no_version_is_approved(template: dict[str, Any]) -> None:
    for logical_id, resource in template["Resources"].items():
        expected = "ScalingIsOn" if resource["Type"] in SCALING else "HasApprovedVersion"
        assert resource.get("Condition") == (expected if resource["Type"] in VERSIONED else None), logical_id


def test_the_condition_is_that_a_package_is_named(template: dict[str, Any]) -> None:
    condition = template["Conditions"]["HasApprovedVersion"]
    assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ModelPackageArn"}, "none"]}]}


def test_scaling_goes_by_a_parameter_so_that_the_instance_type_can_change(template: dict[str, Any]) -> None:
    scales = template["Conditions"]["ScalingIsOn"]
    is_on = {"Fn::Equals": [{"Ref": "Scaling"}, "on"]}
    assert scales == {"Fn::And": [template["Conditions"]["HasApprovedVersion"], is_on]}
    [variant] = only(template, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert variant["InstanceType"] == {"Ref": "InstanceType"}
    assert template["Parameters"]["InstanceType"]["Default"] == "ml.m5.large"
    assert template["Parameters"]["Scaling"]["Default"] == "on"


def test_the_parameters_start_as_none_and_take_only_this_groups_versions(template: dict[str, Any]) -> None:
    parameters = template["Parameters"]
    assert {parameters[name]["Default"] for name in ("ModelPackageArn", "ModelVersion", "EvidenceUri")} == {"none"}
    assert "bank-churn/" in parameters["ModelPackageArn"]["AllowedPattern"]


def test_every_alarm_named_in_the_deployment_stands_in_the_same_template_before_it(template: dict[str, Any]) -> None:
    endpoint = only(template, "AWS::SageMaker::Endpoint")
    named = endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    alarms = {alarm["AlarmName"]["Ref"] for alarm in named}
    assert len(alarms) >= 2
    assert alarms <= of_type(template, "AWS::CloudWatch::Alarm").keys()
    assert alarms <= set(endpoint["DependsOn"])


def test_alarms_watch_the_endpoint_by_its_name_and_say_what_silence_means(template: dict[str, Any]) -> None:
    name = only(template, "AWS::SageMaker::Endpoint")["Properties"]["EndpointName"]
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        watched = alarm["Properties"]
        dimensions = {entry["Name"]: entry["Value"] for entry in watched["Dimensions"]}
        assert dimensions == {"EndpointName": name, "VariantName": "AllTraffic"}
        assert watched["TreatMissingData"] == "notBreaching"
        assert watched["AlarmActions"]


def test_a_deployment_may_take_longer_than_its_waits(template: dict[str, Any]) -> None:
    policy = only(template, "AWS::SageMaker::Endpoint")["Properties"]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    waits = policy["TerminationWaitInSeconds"] + policy["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"]
    assert waits > 0
    assert 600 <= policy["MaximumExecutionTimeoutInSeconds"] <= 28800
    assert policy["MaximumExecutionTimeoutInSeconds"] > waits


def test_a_fleet_of_two_or_more_gets_a_canary_of_at_most_half(template: dict[str, Any]) -> None:
    endpoint = only(template, "AWS::SageMaker::Endpoint")["Properties"]
    routing = endpoint["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    [variant] = only(template, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    if variant["InitialInstanceCount"] == 1:
        assert routing["Type"] == "ALL_AT_ONCE"
    else:
        assert routing["CanarySize"] == {"Type": "INSTANCE_COUNT", "Value": 1}
        assert variant["InitialInstanceCount"] >= 2


def test_what_autoscaling_did_survives_an_update(template: dict[str, Any]) -> None:
    assert only(template, "AWS::SageMaker::Endpoint")["Properties"]["RetainAllVariantProperties"] is True
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    [endpoint] = of_type(template, "AWS::SageMaker::Endpoint")
    assert endpoint in target["DependsOn"]


def test_volumes_and_captures_have_customer_keys_of_their_own(template: dict[str, Any]) -> None:
    config = only(template, "AWS::SageMaker::EndpointConfig")["Properties"]
    capture = config["DataCaptureConfig"]
    assert "Models" in json.dumps(config["KmsKeyId"])
    assert "Data" in json.dumps(capture["KmsKeyId"])
    assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == ["Input", "Output"]
    assert capture["CaptureContentTypeHeader"] == {
        "CsvContentTypes": ["text/csv"],
        "JsonContentTypes": ["application/json"],
    }


def test_the_model_is_the_approved_package_in_the_private_network(template: dict[str, Any]) -> None:
    model = only(template, "AWS::SageMaker::Model")
    properties = model["Properties"]
    assert properties["PrimaryContainer"]["ModelPackageName"] == {"Ref": "ModelPackageArn"}
    name = only(template, "AWS::SageMaker::Endpoint")["Properties"]["EndpointName"]
    assert properties["PrimaryContainer"]["Environment"] == {"BATON_ENDPOINT_NAME": name}
    assert properties["EnableNetworkIsolation"] is True
    assert properties["VpcConfig"]["Subnets"]
    assert set(of_type(template, "AWS::IAM::Policy")) <= set(model["DependsOn"]), "the policies must be there first"


def test_only_the_endpoint_has_a_name(template: dict[str, Any]) -> None:
    for kind in ("Model", "EndpointConfig"):
        assert f"{kind}Name" not in only(template, f"AWS::SageMaker::{kind}")["Properties"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_stack_uploads_nothing_but_its_template(assembly: Any, environment: str) -> None:
    """The workflow updates it with the previous template, and could upload nothing."""
    [manifest] = (assembly.folder / f"assembly-{environment}").glob("*Serving*.assets.json")
    content = json.loads(manifest.read_text())
    [file] = content["files"].values()
    assert file["source"]["path"].endswith("template.json")
    assert not content.get("dockerImages")


def test_outputs_of_a_version_come_and_go_with_it(template: dict[str, Any]) -> None:
    outputs = template["Outputs"]
    assert {name for name in ("EndpointConfigName", "ServedModelPackageArn") if outputs[name]["Condition"]} == {
        "EndpointConfigName",
        "ServedModelPackageArn",
    }
    assert all("Condition" not in outputs[name] for name in ("EndpointName", "CaptureUri", "GroundTruthUri"))


def test_the_container_may_read_its_models_prefix_and_write_captures_only(template: dict[str, Any]) -> None:
    [policy] = of_type(template, "AWS::IAM::Policy").values()
    objects = {
        json.dumps(statement["Resource"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "s3:GetObject" in statement["Action"] or "s3:PutObject" in statement["Action"]
    }
    assert len(objects) == 2
    assert all("bank_churn/" in resource for resource in objects)
