"""Lambda, Step Functions, Scheduler and Glue of embedded AWS: what runs really runs, with its real errors."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws

BUCKET = "front-code"
ROLE = "arn:aws:iam::000000000000:role/any"
HANDLER = """
import os, sys
import boto3
import carried

class Unready(Exception):
    pass

def handler(event, context):
    if event.get("fail"):
        raise Unready("not yet")
    groups = boto3.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    return {"layer": carried.VALUE, "python": sys.prefix, "setting": os.environ["SETTING"], "groups": len(groups)}
"""


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".py", content)
    return buffer.getvalue()


def resource(type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{type}", "Properties": properties}


@pytest.fixture(scope="module")
def function(aws: EmbeddedAws) -> str:
    """A function with a layer, deployed as a template does."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.region})
    s3.put_object(Bucket=BUCKET, Key="handler.zip", Body=zipped(app=HANDLER))
    s3.put_object(Bucket=BUCKET, Key="layer.zip", Body=zipped(python__carried="VALUE = 'from the layer'"))
    resources = {
        "Layer": resource("Lambda::LayerVersion", Content={"S3Bucket": BUCKET, "S3Key": "layer.zip"}),
        "Function": resource(
            "Lambda::Function",
            FunctionName="front-function",
            Runtime="python3.14",
            Architectures=["arm64"],
            Handler="app.handler",
            Role=ROLE,
            Code={"S3Bucket": BUCKET, "S3Key": "handler.zip"},
            Layers=[{"Ref": "Layer"}],
            Timeout=30,
            Environment={"Variables": {"SETTING": "given"}},
        ),
    }
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="front-function", TemplateBody=json.dumps({"Resources": resources}))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="front-function", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )
    return "front-function"


def invoke(aws: EmbeddedAws, function: str, event: dict[str, Any]) -> dict[str, Any]:
    response = aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    content: dict[str, Any] = json.loads(response["Payload"].read())
    return content


def test_a_function_runs_here_with_its_layer_and_reaches_this_aws(aws: EmbeddedAws, function: str) -> None:
    import sys

    answer = invoke(aws, function, {})
    assert answer["layer"] == "from the layer"
    assert answer["setting"] == "given"
    assert answer["python"] == sys.prefix
    assert answer["groups"] >= 0


def test_an_error_in_a_function_keeps_its_type(aws: EmbeddedAws, function: str) -> None:
    answer = invoke(aws, function, {"fail": True})
    assert answer["errorType"] == "Unready"
    assert answer["errorMessage"] == "not yet"


def test_a_state_machine_retries_and_catches_an_error_by_its_type(
    aws: EmbeddedAws, function: str, eventually: Callable[..., Any]
) -> None:
    states, sagemaker = aws.client("stepfunctions"), aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="front-asked-by-states")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload": {"fail": True}},
        "Catch": [{"ErrorEquals": ["Unready"], "ResultPath": "$.error", "Next": "Ask"}],
        "End": True,
    }
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeModelPackageGroup",
        "Parameters": {"ModelPackageGroupName": "front-asked-by-states"},
        "End": True,
    }
    machine = states.create_state_machine(
        name="front-machine",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": "Try", "States": {"Try": task, "Ask": ask}}),
    )
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"], input="{}")

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution["executionArn"])
        return described if described["status"] != "RUNNING" else None

    described = eventually(ended)
    assert described["status"] == "SUCCEEDED", described.get("cause")
    assert json.loads(described["output"])["ModelPackageGroupName"] == "front-asked-by-states"


def test_a_schedule_describes_its_whole_input(aws: EmbeddedAws, stacks: Any) -> None:
    job = {"monitor": "data_quality", "job": {"Environment": {"A": "x" * 3000}}}
    target = {"Arn": f"arn:aws:lambda:{aws.region}:000000000000:function:f", "RoleArn": ROLE, "Input": json.dumps(job)}
    schedule = resource(
        "Scheduler::Schedule",
        ScheduleExpression="cron(0 * * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        GroupName={"Ref": "Group"},
    )
    group = resource("Scheduler::ScheduleGroup", Name="front-group")
    outputs = {"Name": {"Value": {"Ref": "Schedule"}}}
    assert stacks.deploy("front-schedule", {"Schedule": schedule, "Group": group}, Outputs=outputs) == "CREATE_COMPLETE"
    name = stacks.outputs("front-schedule")["Name"]
    found = aws.client("scheduler").get_schedule(Name=name, GroupName="front-group")
    assert json.loads(found["Target"]["Input"]) == job
    stacks.delete("front-schedule")


def test_a_glue_connection_can_be_pointed_elsewhere(aws: EmbeddedAws) -> None:
    glue = aws.client("glue")
    named: dict[str, Any] = {"Name": "front-connection", "ConnectionType": "JDBC"}
    glue.create_connection(ConnectionInput={**named, "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:a"}})
    glue.update_connection(
        Name="front-connection",
        ConnectionInput={**named, "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:b"}},
    )
    found = glue.get_connection(Name="front-connection")["Connection"]["ConnectionProperties"]
    assert found == {"JDBC_CONNECTION_URL": "jdbc:b"}
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.update_connection(Name="front-none", ConnectionInput={**named, "ConnectionProperties": {}})
