"""What each kind of serving promises; that they hold in common what the rest of the platform counts on."""

import json
import re
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from botocore.validate import ParamValidator

from baton.serving.deployment import GuardedDeployment
from baton.specification.capacity import ServingCapacity
from baton.specification.deployment import Deployment
from tests.conftest import Assembly
from tests.infrastructure.kinds_assembly import KINDS
from tests.infrastructure.template_roles import Request, Templates, allowed
from tests.infrastructure.test_policy_linters import escalations, malformed
from tests.test_templates import cfn_lint, is_named_in_vain

ENDPOINTS = ["linear", "rolling", "shadow", "asynchronous", "serverless"]
GUARDED = ["linear", "rolling", "shadow", "asynchronous"]
UNWATCHED = ["asynchronous", "serverless"]
JOB_DEFINITIONS = {
    "AWS::SageMaker::DataQualityJobDefinition",
    "AWS::SageMaker::ModelQualityJobDefinition",
    "AWS::SageMaker::ModelBiasJobDefinition",
    "AWS::SageMaker::ModelExplainabilityJobDefinition",
}


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in template["Resources"].values() if resource["Type"] == kind]


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    [properties] = of_type(template, kind)
    return properties


def serving(assembly: Assembly, kind: str, environment: str = "prod") -> dict[str, Any]:
    return assembly.stack(environment, f"{kind}-serving")


def deployment(assembly: Assembly, kind: str, environment: str = "prod") -> dict[str, Any]:
    found: dict[str, Any] = only(serving(assembly, kind, environment), "AWS::SageMaker::Endpoint")["DeploymentConfig"]
    return found


def test_no_template_has_an_error(kinds_in_prod: Assembly, kinds_in_dev: Assembly) -> None:
    templates = [
        str(path) for made in (kinds_in_prod, kinds_in_dev) for path in sorted(made.folder.rglob("*.template.json"))
    ]
    stations = ("Serving", "Approval", "Monitoring", "Dashboard")
    findings = cfn_lint(*(path for path in templates if any(station in path for station in stations)))
    assert [f"{f['Filename']}: {f['Rule']['Id']} {f['Message']}" for f in findings if f["Level"] == "Error"] == []


def test_no_policy_is_malformed_and_no_role_can_raise_itself(kinds_in_prod: Assembly) -> None:
    roles = list(Templates(kinds_in_prod.templates["prod"]).roles())
    assert {role.logical_id: found for role in roles for p in role.policies if (found := malformed(p))} == {}
    assert {role.logical_id: found for role in roles if (found := escalations(role.policies))} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_the_stack_uploads_nothing_but_its_template(kinds_in_prod: Assembly, kind: str) -> None:
    [manifest] = (kinds_in_prod.folder / "assembly-prod").glob(f"*{kind.capitalize()}Serving*.assets.json")
    [file] = json.loads(manifest.read_text())["files"].values()
    assert file["source"]["path"].endswith("template.json")


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_can_be_proved_and_nothing_of_it_stays_without_one(kinds_in_prod: Assembly, kind: str) -> None:
    template = serving(kinds_in_prod, kind)
    proof = "ModelName" if kind == "batch" else "EndpointConfigName"
    assert template["Outputs"][proof]["Condition"] == "HasApprovedVersion"
    versioned = [resource for resource in template["Resources"].values() if "Condition" in resource]
    assert {"AWS::SageMaker::Model"} <= {resource["Type"] for resource in versioned}
    free = [i for i, resource in template["Resources"].items() if "Condition" not in resource]
    references = json.dumps([template["Resources"][i] for i in free])
    conditional = [i for i, resource in template["Resources"].items() if "Condition" in resource]
    assert [i for i in conditional if f'"{i}"' in references] == [], "nothing that stays may refer to what goes"


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_alarm_that_wakes_an_endpoint_is_named_beside_the_endpoint(kinds_in_prod: Assembly, kind: str) -> None:
    named = [r["Type"] for r in serving(kinds_in_prod, kind)["Resources"].values() if is_named_in_vain(r)]
    assert named == (["AWS::CloudWatch::Alarm"] if kind == "asynchronous" else [])


@pytest.mark.parametrize("kind", GUARDED)
def test_what_rolls_a_deployment_back_stands_there_before_the_endpoint(kinds_in_prod: Assembly, kind: str) -> None:
    template = serving(kinds_in_prod, kind)
    [endpoint] = [r for r in template["Resources"].values() if r["Type"] == "AWS::SageMaker::Endpoint"]
    named = {
        alarm["AlarmName"]["Ref"]
        for alarm in endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    }
    assert 1 <= len(named) <= 10
    assert named <= set(endpoint["DependsOn"])
    assert all("Condition" not in template["Resources"][alarm] for alarm in named)


def test_fails_when_more_alarms_would_roll_back_than_sagemaker_looks_at() -> None:
    capacity = ServingCapacity(instance_count=2, max_instance_count=2, bake_minutes=10)
    guarded = GuardedDeployment(rollout=Deployment().on(capacity))
    stack = cdk.Stack()
    alarms = [cloudwatch.Alarm.from_alarm_name(stack, f"A{n}", f"alarm-{n}") for n in range(11)]
    guarded.render(alarms[:10])
    with pytest.raises(ValueError, match="at most 10 alarms, got 11"):
        guarded.render(alarms)


def test_a_linear_deployment_moves_by_steps_and_is_rolled_back_by_answers_too(kinds_in_prod: Assembly) -> None:
    policy = deployment(kinds_in_prod, "linear")["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "LINEAR",
        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25},
        "WaitIntervalInSeconds": 7 * 60,
    }
    assert policy["TerminationWaitInSeconds"] == 20 * 60
    assert policy["MaximumExecutionTimeoutInSeconds"] > 4 * 7 * 60 + 20 * 60
    alarms = of_type(serving(kinds_in_prod, "linear"), "AWS::CloudWatch::Alarm")
    answers = {(a["MetricName"], a["ComparisonOperator"], a["Threshold"]) for a in alarms if "Baton" in a["Namespace"]}
    assert answers == {
        ("PositiveShare", "LessThanThreshold", 0.05),
        ("PositiveShare", "GreaterThanThreshold", 0.4),
        ("MeanAnswer", "LessThanThreshold", 0.1),
        ("MeanAnswer", "GreaterThanThreshold", 0.5),
        ("RefusedRequests", "GreaterThanThreshold", 20),
        ("UnseenCategories", "GreaterThanThreshold", 50),
    }


def test_a_rolling_deployment_is_no_blue_green_one(kinds_in_prod: Assembly) -> None:
    config = deployment(kinds_in_prod, "rolling")
    assert "BlueGreenUpdatePolicy" not in config
    rolling = config["RollingUpdatePolicy"]
    assert rolling["MaximumBatchSize"] == {"Type": "CAPACITY_PERCENT", "Value": 50}
    assert 600 <= rolling["MaximumExecutionTimeoutInSeconds"] <= 28800


@pytest.mark.parametrize("kind", GUARDED)
def test_a_single_instance_moves_all_at_once_whatever_was_wanted(kinds_in_dev: Assembly, kind: str) -> None:
    routing = deployment(kinds_in_dev, kind, "dev")["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["Type"] == "ALL_AT_ONCE"
    assert not {"CanarySize", "LinearStepSize"} & routing.keys()


def test_a_challenger_answers_its_share_only_while_it_is_named(kinds_in_prod: Assembly) -> None:
    template = serving(kinds_in_prod, "linear")
    served, challenger = only(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    condition, variant, otherwise = challenger["Fn::If"]
    assert condition == "HasChallenger" and otherwise == {"Ref": "AWS::NoValue"}
    assert (served["InitialVariantWeight"], variant["InitialVariantWeight"]) == (90, 10)
    assert variant["InitialInstanceCount"] == 2
    parameter = template["Parameters"]["ChallengerModelPackageArn"]
    assert parameter["Default"] == "none"
    assert parameter["AllowedPattern"] == template["Parameters"]["ModelPackageArn"]["AllowedPattern"]
    kept = only(template, "AWS::SageMaker::Endpoint")["ExcludeRetainedVariantProperties"]
    assert kept == [{"VariantPropertyType": "DesiredWeight"}], "or the file's weight would never arrive"


def test_a_shadow_answers_nobody_and_its_list_is_never_empty(kinds_in_prod: Assembly) -> None:
    config = only(serving(kinds_in_prod, "shadow"), "AWS::SageMaker::EndpointConfig")
    assert len(config["ProductionVariants"]) == 1
    condition, [variant], otherwise = config["ShadowProductionVariants"]["Fn::If"]
    assert condition == "HasShadow" and otherwise == {"Ref": "AWS::NoValue"}
    assert variant["InstanceType"] == "ml.c6i.large"
    assert variant["InitialVariantWeight"] / config["ProductionVariants"][0]["InitialVariantWeight"] == 0.4


def test_an_endpoint_explains_as_soon_as_it_knows_the_inputs(kinds_in_dev: Assembly) -> None:
    template = serving(kinds_in_dev, "explained", "dev")
    condition, config, otherwise = only(template, "AWS::SageMaker::EndpointConfig")["ExplainerConfig"]["Fn::If"]
    assert condition == "HasExplainer" and otherwise == {"Ref": "AWS::NoValue"}
    named, *told = template["Conditions"]["HasExplainer"]["Fn::And"]
    assert named == template["Conditions"]["HasApprovedVersion"]
    not_told = [{"Fn::Not": [{"Fn::Equals": [{"Ref": "ExplainedInputs"}, value]}]} for value in ("none", "unknown")]
    assert told == not_told
    clarify = config["ClarifyExplainerConfig"]
    assert clarify["EnableExplanations"] == "[0] > `0.5`"
    assert clarify["ShapConfig"] == {
        "NumberOfSamples": 200,
        "Seed": 1,
        "ShapBaselineConfig": {
            "MimeType": "text/csv",
            "ShapBaselineUri": {"Fn::Join": ["", [{"Ref": "EvidenceUri"}, "/evaluation/shap_baseline.csv"]]},
        },
    }
    parts = {"Fn::Split": [";", {"Ref": "ExplainedInputs"}]}
    lists = [{"Fn::Split": [",", {"Fn::Select": [place, parts]}]} for place in (0, 1)]
    inference = clarify["InferenceConfig"]
    assert [inference["FeatureHeaders"], inference["FeatureTypes"]] == lists
    given = {**clarify, "InferenceConfig": {**inference, "FeatureHeaders": ["a"], "FeatureTypes": ["numerical"]}}
    given["ShapConfig"] = {**clarify["ShapConfig"], "ShapBaselineConfig": {"ShapBaselineUri": "s3://b/k"}}
    shape = botocore.session.get_session().get_service_model("sagemaker").shape_for("ExplainerConfig")
    report = ParamValidator().validate({"ClarifyExplainerConfig": given}, shape)
    assert not report.has_errors(), report.generate_report()


def test_whoever_explains_may_read_the_baseline_and_no_other_evidence(kinds_in_dev: Assembly) -> None:
    template = serving(kinds_in_dev, "explained", "dev")
    evidence = [
        resource["Fn::Join"][1][-1]
        for policy in of_type(template, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:GetObject" in statement["Action"]
        for resource in statement["Resource"]
        if "Evidence" in json.dumps(resource)
    ]
    assert evidence == ["/explained/*/evaluation/shap_baseline.csv*"]
    templates = Templates(kinds_in_dev.templates["dev"])
    bucket = templates.arn_of("data-lake", "AWS::S3::Bucket", "Evidence")
    [role] = [
        role for role in templates.roles() if role.stack.endswith("explained-serving") and "Model" in role.logical_id
    ]
    files = ("explained/run/evaluation/shap_baseline.csv", "explained/run/evidence/bundle.json")
    assert allowed([(role, Request("s3:GetObject", f"{bucket}/{file}")) for file in files]) == [True, False]
    assert "Evidence" not in json.dumps(of_type(serving(kinds_in_dev, "rolling", "dev"), "AWS::IAM::Policy"))


@pytest.mark.parametrize("value", ["none", "unknown", "a;numerical", "a,B_2;numerical,categorical"])
def test_inputs_are_names_and_types(kinds_in_dev: Assembly, value: str) -> None:
    pattern = serving(kinds_in_dev, "explained", "dev")["Parameters"]["ExplainedInputs"]["AllowedPattern"]
    assert re.match(pattern, value)
    assert not re.match(pattern, value.replace(";", " ") + "!")


@pytest.mark.parametrize(("kind", "name"), [("linear", "challenger"), ("shadow", "shadow")])
def test_a_second_version_has_numbers_of_its_own(kinds_in_prod: Assembly, kind: str, name: str) -> None:
    models = of_type(serving(kinds_in_prod, kind), "AWS::SageMaker::Model")
    names = {model["PrimaryContainer"]["Environment"]["BATON_ENDPOINT_NAME"] for model in models}
    assert names == {f"baton-prod-{kind}", f"baton-prod-{kind}-{name}"}
    assert len({json.dumps(model["ExecutionRoleArn"]) for model in models}) == 1


def test_scaling_follows_concurrency_and_the_clock(kinds_in_prod: Assembly) -> None:
    template = serving(kinds_in_prod, "linear")
    policy = only(template, "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["TargetValue"] == 6
    assert tracked["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    }
    actions = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")["ScheduledActions"]
    assert [action["ScalableTargetAction"] for action in actions] == [
        {"MinCapacity": 4, "MaxCapacity": 8},
        {"MinCapacity": 2, "MaxCapacity": 8},
    ]


def test_an_asynchronous_endpoint_takes_and_leaves_encrypted_objects(kinds_in_prod: Assembly) -> None:
    template = serving(kinds_in_prod, "asynchronous")
    config = only(template, "AWS::SageMaker::EndpointConfig")
    assert "DataCaptureConfig" not in config
    output = config["AsyncInferenceConfig"]["OutputConfig"]
    assert "Data" in json.dumps(output["KmsKeyId"])
    assert json.dumps(output["S3OutputPath"]) != json.dumps(output["S3FailurePath"])
    topics = of_type(template, "AWS::SNS::Topic")
    assert len(topics) == 2 and all("Operations" in json.dumps(topic["KmsMasterKeyId"]) for topic in topics)
    assert output["NotificationConfig"].keys() == {"SuccessTopic", "ErrorTopic"}


def test_an_asynchronous_endpoint_sleeps_and_wakes(kinds_in_prod: Assembly) -> None:
    template = serving(kinds_in_prod, "asynchronous")
    assert only(template, "AWS::ApplicationAutoScaling::ScalableTarget")["MinCapacity"] == 0
    policies = {p["PolicyType"]: p for p in of_type(template, "AWS::ApplicationAutoScaling::ScalingPolicy")}
    tracked = policies["TargetTrackingScaling"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    [step] = policies["StepScaling"]["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert step == {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    [alarm] = [a for a in of_type(template, "AWS::CloudWatch::Alarm") if "AlarmName" in a]
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    [action] = alarm["AlarmActions"]
    assert template["Resources"][action["Ref"]]["Properties"]["PolicyType"] == "StepScaling"


def test_a_fleet_that_slept_begins_a_deployment_at_its_full_size(kinds_in_prod: Assembly) -> None:
    assert "RetainAllVariantProperties" not in only(serving(kinds_in_prod, "asynchronous"), "AWS::SageMaker::Endpoint")


def test_a_serverless_endpoint_has_what_sagemaker_offers_and_no_more(kinds_in_prod: Assembly) -> None:
    template = serving(kinds_in_prod, "serverless")
    model = only(template, "AWS::SageMaker::Model")
    assert model["EnableNetworkIsolation"] is False and "VpcConfig" not in model
    config = only(template, "AWS::SageMaker::EndpointConfig")
    [variant] = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 3072, "MaxConcurrency": 20, "ProvisionedConcurrency": 2}
    assert not {"InstanceType", "InitialInstanceCount"} & variant.keys()
    assert not {"DataCaptureConfig", "KmsKeyId"} & config.keys(), "AWS shows neither beside it"
    endpoint = only(template, "AWS::SageMaker::Endpoint")
    assert not {"DeploymentConfig", "RetainAllVariantProperties"} & endpoint.keys()
    assert "ec2:" not in json.dumps(of_type(template, "AWS::IAM::Policy"))
    assert not {"InstanceType", "Scaling"} & template["Parameters"].keys()


@pytest.mark.parametrize("kind", UNWATCHED)
def test_what_is_not_captured_has_no_monitor_and_no_alarm_on_one(
    kinds_in_prod: Assembly, kinds_in_dev: Assembly, kind: str
) -> None:
    for assembly, environment in ((kinds_in_prod, "prod"), (kinds_in_dev, "dev")):
        types = {r["Type"] for r in serving(assembly, kind, environment)["Resources"].values()}
        assert not types & {*JOB_DEFINITIONS, "AWS::SageMaker::MonitoringSchedule", "AWS::Scheduler::Schedule"}
        monitoring = assembly.stack(environment, f"{kind}-monitoring")
        alarms = of_type(monitoring, "AWS::CloudWatch::Alarm")
        assert not [alarm for alarm in alarms if alarm.get("Namespace") == "Baton/Monitoring"]
        assert not [rule for rule in of_type(monitoring, "AWS::Events::Rule") if "aws.cloudwatch" in json.dumps(rule)]


def test_model_monitor_watches_what_a_transform_captured(kinds_in_prod: Assembly) -> None:
    template = serving(kinds_in_prod, "batch")
    types = {r["Type"] for r in template["Resources"].values()} & JOB_DEFINITIONS
    assert types == JOB_DEFINITIONS - {"AWS::SageMaker::ModelExplainabilityJobDefinition"}
    asked = only(template, "AWS::SageMaker::ModelQualityJobDefinition")["ModelQualityJobInput"]
    assert "EndpointInput" not in asked
    assert asked["BatchTransformInput"]["DatasetFormat"] == {"Csv": {"Header": False}}
    assert asked["BatchTransformInput"]["ProbabilityAttribute"] == "0"


def test_a_transform_is_not_captured_where_nobody_would_read_it(
    kinds_in_prod: Assembly, kinds_in_dev: Assembly
) -> None:
    definitions = {
        environment: json.dumps(only(serving(assembly, "batch", environment), "AWS::StepFunctions::StateMachine"))
        for assembly, environment in ((kinds_in_prod, "prod"), (kinds_in_dev, "dev"))
    }
    assert "DataCaptureConfig" in definitions["prod"] and "DataCaptureConfig" not in definitions["dev"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_dashboard_shows_every_kind_and_alarms_on_what_it_has(kinds_in_prod: Assembly, kind: str) -> None:
    dashboard = kinds_in_prod.stack("prod", f"{kind}-dashboard")
    body = json.dumps(only(dashboard, "AWS::CloudWatch::Dashboard"))
    assert "ServedVersion" in body
    causes = {alarm.get("MetricName") for alarm in of_type(dashboard, "AWS::CloudWatch::Alarm")}
    assert ("CPUUtilization" in causes) is (kind not in ("serverless", "batch"))
    assert ("ApproximateAgeOfOldestRequest" in causes) is (kind == "asynchronous")
    assert bool(of_type(dashboard, "AWS::CloudWatch::CompositeAlarm")) is (kind != "batch")


def test_people_ask_each_endpoint_by_the_call_that_it_answers(kinds_in_prod: Assembly) -> None:
    statements = [
        statement
        for policy in of_type(kinds_in_prod.stack("prod", "governance"), "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    asked = {
        action: json.dumps([s["Resource"] for s in statements if action in s["Action"]])
        for action in ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync")
    }
    assert "prod-asynchronous" in asked["sagemaker:InvokeEndpointAsync"]
    assert "prod-asynchronous" not in asked["sagemaker:InvokeEndpoint"]
    assert "prod-linear" in asked["sagemaker:InvokeEndpoint"]
    assert not any("endpoint/baton-prod-batch" in resources for resources in asked.values())
