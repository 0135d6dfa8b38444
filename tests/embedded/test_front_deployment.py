"""The stock CDK command line against embedded AWS, and the inventory that checks what it deployed."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from embedded import deployment
from embedded.deployment import DeploymentFailed
from embedded.inventory import describe
from embedded.server import EmbeddedAws

ENCRYPTED = {
    "VersioningConfiguration": {"Status": "Enabled"},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
    },
    "LifecycleConfiguration": {
        "Rules": [
            {
                "Id": "expire",
                "Status": "Enabled",
                "ExpirationInDays": 7,
                "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
            }
        ]
    },
}


def assembly(folder: Path, stack: str, resources: dict[str, Any], **sections: Any) -> Path:
    """A cloud assembly of one stack, as `cdk synth` would write it, inside that of a stage."""
    nested = folder / "assembly-stage"
    nested.mkdir(parents=True)
    template = {"Resources": resources, **sections}
    (nested / "stack.template.json").write_text(json.dumps(template), encoding="utf-8")
    properties = {"templateFile": "stack.template.json", "stackName": stack}
    inner = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://000000000000/eu-west-1",
        "properties": properties,
        "displayName": f"stage/{stack}",
    }
    outer = {"type": "cdk:cloud-assembly", "properties": {"directoryName": nested.name, "displayName": "stage"}}
    _manifest(nested, {stack: inner})
    _manifest(folder, {"assembly-stage": outer})
    return folder


def _manifest(folder: Path, artifacts: dict[str, Any]) -> None:
    content = {"version": "36.0.0", "artifacts": artifacts}
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")


def resource(type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{type}", "Properties": properties}


def test_the_command_line_bootstraps_and_deploys(aws: EmbeddedAws, tmp_path: Path) -> None:
    lines: list[str] = []
    deployment.bootstrap(aws, report=lines.append)
    group = resource("SageMaker::ModelPackageGroup", ModelPackageGroupName="front-cli")
    parameters = {"Parameters": {"Kept": {"Type": "String", "Default": "none"}}}
    folder = assembly(tmp_path / "sound", "front-cli", {"Group": group}, **parameters)
    deployment.deploy(aws, assembly=folder, parameters={"front-cli:Kept": "given"}, report=lines.append)
    assert any("CREATE_COMPLETE" in line and "ModelPackageGroup" in line for line in lines)
    stack = aws.client("cloudformation").describe_stacks(StackName="front-cli")["Stacks"][0]
    assert stack["Parameters"] == [{"ParameterKey": "Kept", "ParameterValue": "given"}]
    rows = describe(aws, folder)
    assert [(row.logical_id, row.described) for row in rows] == [("front-cli.Group", True)]


def test_a_command_line_that_fails_is_quoted(aws: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "cdk"
    failing.write_text("print('no such bucket'); raise SystemExit(3)", encoding="utf-8")
    monkeypatch.setattr(deployment, "_NODE", sys.executable)
    monkeypatch.setattr(deployment, "_CLI", failing)
    with pytest.raises(DeploymentFailed, match=r"cdk deploy \*\* failed with code 3:\nno such bucket"):
        deployment.deploy(aws, assembly=tmp_path, report=lambda line: None)
    monkeypatch.setattr(deployment, "_CLI", tmp_path / "absent")
    with pytest.raises(DeploymentFailed, match="make install"):
        deployment.bootstrap(aws)


def test_the_inventory_finds_what_is_there_and_what_is_not(aws: EmbeddedAws, stacks: Any, tmp_path: Path) -> None:
    resources = {
        "Sound": resource("S3::Bucket", BucketName="front-sound", **ENCRYPTED),
        "Changed": resource("S3::Bucket", BucketName="front-changed", **ENCRYPTED),
        "Gone": resource("SNS::Topic", TopicName="front-gone"),
        "Unprobed": resource("ECR::Repository", RepositoryName="front-unprobed"),
        "Waiting": {**resource("SNS::Topic"), "Condition": "Served"},
    }
    conditions = {"Conditions": {"Served": {"Fn::Equals": ["a", "b"]}}}
    assert stacks.deploy("front-inventory", resources, **conditions) == "CREATE_COMPLETE"
    s3 = aws.client("s3")
    days = s3.get_bucket_lifecycle_configuration(Bucket="front-sound")["Rules"][0]["Expiration"]["Days"]
    assert days == 7
    s3.put_bucket_versioning(Bucket="front-changed", VersioningConfiguration={"Status": "Suspended"})
    aws.client("sns").delete_topic(TopicArn=f"arn:aws:sns:{aws.region}:000000000000:front-gone")

    rows = describe(aws, assembly(tmp_path, "front-inventory", resources, **conditions))
    found = {row.logical_id.partition(".")[2]: row for row in rows}
    assert found["Sound"].described, found["Sound"].how
    assert not found["Changed"].described
    assert "not versioned" in found["Changed"].how
    assert not found["Gone"].described
    assert "no probe" in found["Unprobed"].how
    assert "condition Served" in found["Waiting"].how
    stacks.delete("front-inventory")
