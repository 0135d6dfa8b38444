"""Deployed on embedded AWS, an environment hears of another's registry and takes up what was approved for it alone."""

from collections.abc import Callable
from typing import Any

import pytest

from embedded import deployment
from embedded.server import EmbeddedAws
from tests.infrastructure.shared_assembly import synthesised

GROUP = "baton-dev-bank-churn"  # dev's, which staging takes from


@pytest.fixture(scope="module")
def staging(aws: EmbeddedAws) -> dict[str, str]:
    """The outputs of staging's approval stack, which is deployed with all that it stands on."""
    deployment.bootstrap(aws, report=lambda line: None)
    folder = synthesised("embedded").folder
    deployment.deploy(aws, assembly=folder, stacks=["staging/BankChurnApproval"], report=lambda line: None)
    stack = aws.client("cloudformation").describe_stacks(StackName="baton-staging-bank-churn-approval")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_a_version_is_taken_up_once_it_is_approved_for_the_stage(
    aws: EmbeddedAws, staging: dict[str, str], eventually: Callable[..., Any]
) -> None:
    assert (staging["VersionsGroup"], staging["Stages"], staging["TrainedIn"]) == (GROUP, "staging", "dev")
    sagemaker = aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    container = {"Image": "xgboost", "ModelDataUrl": "s3://baton-dev-models/bank_churn/run/model.tar.gz"}
    specification: dict[str, Any] = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    specification["SupportedResponseMIMETypes"] = ["text/csv"]
    versions = [
        sagemaker.create_model_package(ModelPackageGroupName=GROUP, InferenceSpecification=specification)[
            "ModelPackageArn"
        ]
        for _ in range(2)
    ]

    def runs() -> int:
        machine = staging["ReconcileStateMachineArn"]
        found = aws.client("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")
        return len(found["executions"])

    def ledger() -> dict[str, Any]:
        items = aws.client("dynamodb").scan(TableName=staging["LedgerTableName"])["Items"]
        return {item["item"]["S"]: item for item in items if "package_arn" in item}

    assert eventually(lambda: runs() >= len(versions), within=120), "no event reached the workflow"
    for arn in versions:
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert eventually(lambda: runs() >= 2 * len(versions), within=120), "no event reached the workflow"
    assert ledger() == {}, "dev's word alone is nothing to staging"

    life = {"Stage": "staging", "StageStatus": "Approved", "StageDescription": "to be tried"}
    sagemaker.update_model_package(ModelPackageArn=versions[0], ModelLifeCycle=life)
    # It is chosen; and as nobody has signed its evidence, it goes no further than that.
    assert eventually(lambda: "quarantine#1" in ledger(), within=120)
    assert {item["package_arn"]["S"] for item in ledger().values()} == {versions[0]}
    assert "no signed evidence was registered with it" in ledger()["quarantine#1"]["reason"]["S"]
