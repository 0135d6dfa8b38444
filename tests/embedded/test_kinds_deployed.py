"""Every way of serving, deployed by the stock command line with a version in it, and used."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded import deployment
from embedded.inventory import describe
from embedded.server import EmbeddedAws
from tests.embedded.serving import Serving
from tests.infrastructure.kinds_assembly import KINDS, synthesise

PREFIX = "baton-dev-"


class Platform:
    """The deployed stacks, and versions of models that nobody has approved.

    Args:
        aws: The running server.
        assembly: What was deployed to it.
    """

    def __init__(self, aws: EmbeddedAws, assembly: Path) -> None:
        self.aws, self.assembly, self.serving = aws, assembly, Serving(aws)
        self._cloudformation = aws.client("cloudformation")
        # Who has not approved a version does not get it: the reconcile workflow would take these out again.
        for rule in aws.client("events").list_rules()["Rules"]:
            aws.client("events").disable_rule(Name=rule["Name"])

    def version(self, kind: str, answer: str) -> str:
        """Register a version whose container answers a fixed text; gives its ARN."""
        container = self.serving.container(f"{kind}-{answer}", answer)
        package: str = self.serving.sagemaker.create_model_package(
            ModelPackageGroupName=f"{PREFIX}{kind}",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )["ModelPackageArn"]
        return package

    def update(self, kind: str, **parameters: str) -> str:
        """Update a serving stack as the reconcile workflow does; gives the status it settles in."""
        name = f"{PREFIX}{kind}-serving"
        known = [p["ParameterKey"] for p in self._stack(name)["Parameters"]]
        given = [
            {"ParameterKey": key, "ParameterValue": parameters[key]}
            if key in parameters
            else {"ParameterKey": key, "UsePreviousValue": True}
            for key in known
        ]
        self._cloudformation.update_stack(
            StackName=name, UsePreviousTemplate=True, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"]
        )

        def look() -> str | None:
            status = str(self._stack(name)["StackStatus"])
            return None if status.endswith("IN_PROGRESS") else status

        return str(Serving.eventually(look))

    def why(self, kind: str) -> str:
        """The reasons that a serving stack's events give."""
        events = self._cloudformation.describe_stack_events(StackName=f"{PREFIX}{kind}-serving")["StackEvents"]
        return "; ".join(event["ResourceStatusReason"] for event in events if event.get("ResourceStatusReason"))

    def _stack(self, name: str) -> dict[str, Any]:
        stack: dict[str, Any] = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return stack


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """All kinds in dev, each with a version, some with a second one beside it."""
    assembly = synthesise(tmp_path_factory.mktemp("kinds"), "dev").folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFN_WAIT_SCALE", "0.01")  # the batch workflow looks once a minute
        with EmbeddedAws(tmp_path_factory.mktemp("platform")) as aws:
            deployment.bootstrap(aws, report=lambda _: None)
            deployment.deploy(aws, assembly=assembly, report=lambda _: None)
            found = Platform(aws, assembly)
            for kind in KINDS:
                first = {"ModelPackageArn": found.version(kind, "first"), "ModelVersion": "1"}
                beside = {"linear": "ChallengerModelPackageArn", "shadow": "ShadowModelPackageArn"}.get(kind)
                second = {beside: found.version(kind, "beside")} if beside else {}
                assert found.update(kind, **first, **second) == "UPDATE_COMPLETE", found.why(kind)
            yield found


def test_every_resource_of_every_kind_is_there_as_it_is_declared(platform: Platform) -> None:
    rows = describe(platform.aws, platform.assembly)
    assert [row for row in rows if not row.described] == []
    assert len(rows) > 1000
    assert {"AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::CloudWatch::CompositeAlarm"} <= {r.type for r in rows}


@pytest.mark.parametrize("kind", ["rolling", "serverless", "shadow"])
def test_an_endpoint_answers_with_the_served_version(platform: Platform, kind: str) -> None:
    assert {platform.serving.ask(f"{PREFIX}{kind}") for _ in range(10)} == {"first"}


def test_a_challenger_answers_its_share(platform: Platform) -> None:
    name = f"{PREFIX}linear"
    assert platform.serving.ask(name, TargetVariant="Challenger") == "beside"
    assert [platform.serving.ask(name) for _ in range(40)].count("first") > 20


def test_a_shadow_is_asked_and_counted(platform: Platform) -> None:
    name, serving = f"{PREFIX}shadow", platform.serving

    def counted() -> bool:
        serving.ask(name)
        return bool(serving.measured("Invocations", EndpointName=name, VariantName="Shadow"))

    assert serving.eventually(counted)


def test_an_asynchronous_request_is_answered(platform: Platform) -> None:
    name, serving = f"{PREFIX}asynchronous", platform.serving
    endpoint = serving.sagemaker.describe_endpoint(EndpointName=name)
    answers = endpoint["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"]
    bucket, _, key = answers.removeprefix("s3://").partition("/")
    serving.s3.put_object(Bucket=bucket, Key=f"{key}in.csv", Body=b"1,2\n")
    accepted = serving.runtime.invoke_endpoint_async(
        EndpointName=name, InputLocation=f"s3://{bucket}/{key}in.csv", ContentType="text/csv"
    )
    # By now it may have scaled to zero, and wakes up when its alarm has seen a whole minute of waiting.
    assert serving.eventually(lambda: serving.read(accepted["OutputLocation"]), within=150) == "first"


def test_the_batch_workflow_transforms_what_lies_there(platform: Platform) -> None:
    states, serving = platform.aws.client("stepfunctions"), platform.serving
    machines = states.list_state_machines()["stateMachines"]
    machine = next(m["stateMachineArn"] for m in machines if m["name"].startswith(f"{PREFIX}batch-serving"))
    definition = states.describe_state_machine(stateMachineArn=machine)["definition"]
    found = re.search(r'"S3Uri":\s*"s3://([^/]+)/([^"]+)"', definition)
    assert found is not None
    serving.s3.put_object(Bucket=found[1], Key=f"{found[2]}a.csv", Body=b"1,2\n3,4\n")
    [model] = [m["ModelName"] for m in serving.sagemaker.list_models(NameContains="batch")["Models"]]
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps({"model_name": model}))

    def look() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution["executionArn"])
        return None if described["status"] == "RUNNING" else described

    ended = serving.eventually(look)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    [job] = serving.sagemaker.list_transform_jobs()["TransformJobSummaries"]
    output = serving.sagemaker.describe_transform_job(TransformJobName=job["TransformJobName"])["TransformOutput"]
    rows = (serving.read(f"{output['S3OutputPath'].rstrip('/')}/a.csv.out") or "").splitlines()
    assert [row.split(",")[0] for row in rows] == ["first", "first"]


def test_a_second_version_takes_over_under_the_stacks_own_deployment(platform: Platform) -> None:
    name = f"{PREFIX}rolling"
    second = platform.version("rolling", "second")
    assert platform.update("rolling", ModelPackageArn=second, ModelVersion="2") == "UPDATE_COMPLETE"
    assert {platform.serving.ask(name) for _ in range(10)} == {"second"}


def test_a_scaled_endpoint_changes_its_instance_type_in_three_steps_only(platform: Platform) -> None:
    assert platform.update("shadow", InstanceType="ml.m5.xlarge") == "UPDATE_ROLLBACK_COMPLETE"
    assert "must be deregistered as scalable target" in platform.why("shadow")
    assert platform.serving.ask(f"{PREFIX}shadow") == "first"
    for step in ({"Scaling": "off"}, {"InstanceType": "ml.m5.xlarge"}, {"Scaling": "on"}):
        assert platform.update("shadow", **step) == "UPDATE_COMPLETE", platform.why("shadow")
    endpoint = platform.serving.sagemaker.describe_endpoint(EndpointName=f"{PREFIX}shadow")
    config = platform.serving.sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.m5.xlarge"
