"""Endpoints of embedded AWS: deployed by CloudFormation, served by a process, moved and rolled back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from tests.embedded.serving import ROLE, Serving


@pytest.fixture(scope="module")
def artefacts(aws: EmbeddedAws) -> Callable[..., str]:
    """Writes a model artefact whose container answers a fixed text; gives its URI."""
    serving = Serving(aws)

    def write(answer: str, *, loading: str = "pass") -> str:
        return str(serving.container(answer, answer, loading=loading)["ModelDataUrl"])

    return write


def resource(type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{type}", "Properties": properties}


def template(name: str, artefact: str, *, alarm: str | None = None) -> dict[str, Any]:
    """A model, its configuration, an endpoint and its scaling."""
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    }
    container = {"Image": "any", "ModelDataUrl": artefact, "Environment": environment}
    model_name = {"Fn::GetAtt": ["Model", "ModelName"]}
    config_name = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    variant = {
        "VariantName": "primary",
        "ModelName": model_name,
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        "InstanceType": "ml.m5.large",
    }
    canary = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}
    deployment: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": canary}}
    if alarm is not None:
        deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm}]}
    target = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": {"Fn::Sub": f"endpoint/{name}/variant/primary"},
        "MinCapacity": 1,
        "MaxCapacity": 3,
        "RoleARN": ROLE,
    }
    tracking = {
        "TargetValue": 70,
        "DisableScaleIn": True,  # it would rightly take back the instance that a test adds by hand
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    policy = {
        "PolicyName": f"{name}-invocations",
        "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": {"Ref": "Target"},
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    return {
        "Model": resource("SageMaker::Model", ExecutionRoleArn=ROLE, PrimaryContainer=container),
        "Config": resource("SageMaker::EndpointConfig", ProductionVariants=[variant]),
        "Endpoint": resource(
            "SageMaker::Endpoint",
            EndpointName=name,
            EndpointConfigName=config_name,
            DeploymentConfig=deployment,
            RetainAllVariantProperties=True,
        ),
        "Target": {**resource("ApplicationAutoScaling::ScalableTarget", **target), "DependsOn": "Endpoint"},
        "Policy": resource("ApplicationAutoScaling::ScalingPolicy", **policy),
    }


def ask(aws: EmbeddedAws, endpoint: str, body: str = "1,2") -> str:
    response = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=body
    )
    assert response["InvokedProductionVariant"] == "primary"
    return str(response["Body"].read().decode())


def test_an_endpoint_serves_moves_to_a_new_model_and_goes(
    aws: EmbeddedAws, stacks: Any, artefacts: Callable[..., str]
) -> None:
    sagemaker, name = aws.client("sagemaker"), "front-moving"
    assert stacks.deploy(name, template(name, artefacts("first"))) == "CREATE_COMPLETE", stacks.why(name)
    assert ask(aws, name) == "first"
    before = sagemaker.describe_endpoint(EndpointName=name)
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "primary", "DesiredInstanceCount": 2}]
    )

    assert stacks.deploy(name, template(name, artefacts("second"))) == "UPDATE_COMPLETE", stacks.why(name)
    assert ask(aws, name) == "second"
    after = sagemaker.describe_endpoint(EndpointName=name)
    assert after["EndpointConfigName"] != before["EndpointConfigName"]
    assert after["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert "BlueGreenUpdatePolicy" in after["LastDeploymentConfig"]
    configs = [item["EndpointConfigName"] for item in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    assert before["EndpointConfigName"] not in configs

    [context] = sagemaker.list_contexts(SourceUri=after["EndpointArn"])["ContextSummaries"]
    deployed = sagemaker.list_associations(DestinationArn=context["ContextArn"])["AssociationSummaries"]
    assert [association["SourceType"] for association in deployed] == ["ModelDeployment", "ModelDeployment"]

    scaling = aws.client("application-autoscaling")
    resource_id = f"endpoint/{name}/variant/primary"
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=resource_id)
    assert policies["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    stacks.delete(name)
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource_id])
    assert not targets["ScalableTargets"]
    with pytest.raises(ClientError, match=r"ValidationError.*not found"):
        ask(aws, name)


def test_an_update_that_does_not_come_up_leaves_the_old_model_serving(
    aws: EmbeddedAws, stacks: Any, artefacts: Callable[..., str]
) -> None:
    name = "front-broken"
    assert stacks.deploy(name, template(name, artefacts("sound"))) == "CREATE_COMPLETE", stacks.why(name)
    broken = artefacts("broken", loading="raise RuntimeError('cannot load')")
    assert stacks.deploy(name, template(name, broken)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "InService without front-broken-Config" in stacks.why(name)
    assert ask(aws, name) == "sound"
    stacks.delete(name)


def test_an_endpoint_that_never_comes_up_is_not_left_behind(
    aws: EmbeddedAws, stacks: Any, artefacts: Callable[..., str]
) -> None:
    name = "front-stillborn"
    artefact = artefacts("stillborn", loading="raise RuntimeError('cannot load')")
    assert stacks.deploy(name, template(name, artefact)) == "ROLLBACK_COMPLETE"
    assert not aws.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]


def test_an_alarm_of_the_deployment_rolls_it_back(aws: EmbeddedAws, stacks: Any, artefacts: Callable[..., str]) -> None:
    name, cloudwatch = "front-alarmed", aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Front",
        MetricName="Rollback",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    first = template(name, artefacts("calm"), alarm=name)
    assert stacks.deploy(name, first) == "CREATE_COMPLETE", stacks.why(name)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert stacks.deploy(name, template(name, artefacts("hasty"), alarm=name)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "ALARM state" in stacks.why(name)
    assert ask(aws, name) == "calm"
    stacks.delete(name)


def test_a_failure_in_the_container_is_a_model_error(
    aws: EmbeddedAws, stacks: Any, artefacts: Callable[..., str]
) -> None:
    name = "front-error"
    assert stacks.deploy(name, template(name, artefacts("fine"))) == "CREATE_COMPLETE", stacks.why(name)
    with pytest.raises(ClientError) as caught:
        ask(aws, name, "boom")
    response: dict[str, Any] = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 500
    stacks.delete(name)


def test_each_change_of_an_endpoint_is_an_event(
    aws: EmbeddedAws, stacks: Any, artefacts: Callable[..., str], eventually: Callable[..., Any]
) -> None:
    name, sqs = "front-announced", aws.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    pattern = {"source": ["aws.sagemaker"], "detail": {"EndpointName": [name]}}
    events = aws.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:eu-west-1:000000000000:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    assert stacks.deploy(name, template(name, artefacts("told"))) == "CREATE_COMPLETE", stacks.why(name)
    seen: list[str] = []

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            assert event["detail-type"] == "SageMaker Endpoint State Change"
            seen.append(event["detail"]["EndpointStatus"])
        return len(seen) == 2

    assert eventually(both)
    assert seen == ["CREATING", "IN_SERVICE"]
    stacks.delete(name)
