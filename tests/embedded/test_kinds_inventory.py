"""Every way of serving, deployed by the stock command line with a version in it: all that is declared is there."""

from pathlib import Path

import pytest

from embedded import deployment
from embedded.inventory import describe
from embedded.server import EmbeddedAws
from tests.conftest import Assembly
from tests.embedded.serving import Serving
from tests.infrastructure.kinds_assembly import OPEN_KINDS

PREFIX = "baton-dev-"
BESIDE = {"linear": "ChallengerModelPackageArn", "shadow": "ShadowModelPackageArn"}
CONDITIONAL = {
    "AWS::SageMaker::Endpoint",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::CompositeAlarm",
}


def version(serving: Serving, kind: str) -> str:
    """Register a version that nobody has approved; gives its ARN."""
    package: str = serving.sagemaker.create_model_package(
        ModelPackageGroupName=f"{PREFIX}{kind}",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [serving.container(kind, "yes")],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    return package


def serve(aws: EmbeddedAws, serving: Serving, kind: str) -> str:
    """Give a serving stack its versions, as the reconcile workflow does; the status it settles in."""
    cloudformation, name = aws.client("cloudformation"), f"{PREFIX}{kind}-serving"
    given = {"ModelPackageArn": version(serving, kind), "ModelVersion": "1"}
    if kind in BESIDE:
        given[BESIDE[kind]] = version(serving, kind)
    known = [p["ParameterKey"] for p in cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Parameters"]]
    parameters = [
        {"ParameterKey": key, "ParameterValue": given[key]}
        if key in given
        else {"ParameterKey": key, "UsePreviousValue": True}
        for key in known
    ]
    cloudformation.update_stack(
        StackName=name, UsePreviousTemplate=True, Parameters=parameters, Capabilities=["CAPABILITY_NAMED_IAM"]
    )

    def settled() -> str | None:
        status = str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        return None if status.endswith("IN_PROGRESS") else status

    return str(Serving.eventually(settled))


def test_every_resource_of_every_kind_is_there_as_it_is_declared(
    kinds_in_dev: Assembly, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assembly: Path = kinds_in_dev.folder
    with EmbeddedAws(tmp_path_factory.mktemp("platform")) as aws:
        deployment.bootstrap(aws, report=lambda _: None)
        deployment.deploy(aws, assembly=assembly, report=lambda _: None)
        absent = {row.type for row in describe(aws, assembly) if not row.described}
        assert "AWS::SageMaker::Endpoint" in absent  # without a version; so the look below can fail

        # Who has not approved a version does not get it: the reconcile workflow would take these out again.
        for rule in aws.client("events").list_rules()["Rules"]:
            aws.client("events").disable_rule(Name=rule["Name"])
        serving = Serving(aws)
        assert {kind: serve(aws, serving, kind) for kind in OPEN_KINDS} == dict.fromkeys(OPEN_KINDS, "UPDATE_COMPLETE")
        rows = describe(aws, assembly)
    assert [row for row in rows if not row.described] == []
    assert {row.type for row in rows} >= CONDITIONAL
