"""The model registry of embedded AWS: versions, approval, who did it, and the event that tells of it."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from pipeline_scripts.functions.reconcile_choose import desired_version


def listen(aws: EmbeddedAws, name: str, pattern: dict[str, Any]) -> Callable[[], list[dict[str, Any]]]:
    """A queue behind a rule; the function it gives returns what has arrived since it was last called."""
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:{aws.region}:000000000000:{name}"}
    events.put_targets(Rule=name, Targets=[target])

    def arrived() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    return arrived


@pytest.fixture
def group(aws: EmbeddedAws, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("_", "-")[:60].strip("-")
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    return name


def test_versions_count_up_and_wait_for_approval(aws: EmbeddedAws, group: str) -> None:
    sagemaker = aws.client("sagemaker")
    arns = [sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"] for _ in range(2)]
    assert [arn.rpartition(":")[2] for arn in arns] == [f"model-package/{group}/{n}" for n in (1, 2)]
    pending = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval")
    assert [item["ModelPackageVersion"] for item in pending["ModelPackageSummaryList"]] == [2, 1]
    sagemaker.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Approved")
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    third = sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    assert third.endswith("/3"), "a version's number is never used again"
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [item["ModelPackageArn"] for item in approved["ModelPackageSummaryList"]] == [arns[0]]


def test_an_approval_is_an_event_that_reaches_a_queue(
    aws: EmbeddedAws, group: str, eventually: Callable[..., Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved", "Rejected"]},
    }
    arrived = listen(aws, "front-approvals", pattern)
    properties = {"commit": "abc", "author": "ann"}
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, CustomerMetadataProperties=properties)[
        "ModelPackageArn"
    ]
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="fair and sound"
    )
    [event] = eventually(arrived)
    assert event["resources"] == [arn]
    assert event["account"] == "000000000000"
    assert event["region"] == aws.region
    detail = event["detail"]
    assert detail["ModelPackageVersion"] == 1
    assert detail["ModelApprovalStatus"] == "Approved"
    assert detail["ApprovalDescription"] == "fair and sound"
    assert detail["CustomerMetadataProperties"] == properties
    assert detail["UpdatedModelPackageFields"] == ["ModelApprovalStatus", "ApprovalDescription"]


def test_the_registry_records_who_approved(aws: EmbeddedAws, group: str) -> None:
    role = aws.client("iam").create_role(RoleName="front-officer", AssumeRolePolicyDocument="{}")["Role"]
    session = aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="olga")["Credentials"]
    officer = boto3.client(
        "sagemaker",
        endpoint_url=aws.url,
        region_name=aws.region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    arn = aws.client("sagemaker").create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    officer.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    version = officer.describe_model_package(ModelPackageName=arn)
    assert version["CreatedBy"]["IamIdentity"]["Arn"] == "arn:aws:iam::000000000000:root"
    by = version["LastModifiedBy"]["IamIdentity"]["Arn"]
    assert by == "arn:aws:sts::000000000000:assumed-role/front-officer/olga"


def test_a_version_of_no_group_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*Model Package Group does not exist"):
        aws.client("sagemaker").create_model_package(ModelPackageGroupName="front-nowhere")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("not_a_name", "regular expression pattern"), ("x" * 64, "length less than or equal to 63")],
)
def test_a_bad_name_is_a_validation_error(aws: EmbeddedAws, name: str, complaint: str) -> None:
    with pytest.raises(ClientError, match=f"ValidationException.*{complaint}"):
        aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)


def test_a_bad_status_and_an_unknown_action_are_refused(aws: EmbeddedAws, group: str) -> None:
    sagemaker = aws.client("sagemaker")
    arn = sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    with pytest.raises(ClientError, match=r"enum value set: \[Approved, Rejected, PendingManualApproval\]"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Perhaps")
    with pytest.raises(ClientError, match=r"UnknownOperationException.*ListHubs"):
        sagemaker.list_hubs()


def test_lists_come_in_pages(aws: EmbeddedAws, group: str) -> None:
    sagemaker = aws.client("sagemaker")
    for _ in range(5):
        sagemaker.create_model_package(ModelPackageGroupName=group)
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    versions = [[item["ModelPackageVersion"] for item in page["ModelPackageSummaryList"]] for page in pages]
    assert versions == [[1, 2], [3, 4], [5]]


def test_a_version_keeps_its_model_card_through_its_approval(aws: EmbeddedAws, group: str) -> None:
    sagemaker = aws.client("sagemaker")
    content = json.dumps({"intended_uses": {"risk_rating": "Low"}})
    card = {"ModelCardContent": content, "ModelCardStatus": "PendingReview"}
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, ModelCard=card)["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelCard"] == card


def test_a_version_has_one_stage_at_a_time_which_events_and_lists_tell(
    aws: EmbeddedAws, group: str, eventually: Callable[..., Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    pattern = {"source": ["aws.sagemaker"], "detail": {"ModelLifeCycle": {"Stage": ["prod"]}}}
    arrived = listen(aws, "front-stages", pattern)
    born = {"Stage": "staging", "StageStatus": "Approved"}
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, ModelLifeCycle=born)["ModelPackageArn"]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelLifeCycle"] == born
    life = {"Stage": "prod", "StageStatus": "Rejected", "StageDescription": "not yet"}
    sagemaker.update_model_package(ModelPackageArn=arn, ModelLifeCycle=life)
    [event] = eventually(arrived)
    assert event["detail"]["ModelLifeCycle"] == life
    assert event["detail"]["UpdatedModelPackageFields"] == ["ModelLifeCycle"]
    [summary] = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert summary["ModelLifeCycle"] == life


def test_each_environment_finds_in_one_registry_what_was_approved_for_it(aws: EmbeddedAws, group: str) -> None:
    sagemaker = aws.client("sagemaker")
    container = {"Image": "xgboost", "ModelDataUrl": "s3://models/model.tar.gz"}
    specification = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    specification["SupportedResponseMIMETypes"] = ["text/csv"]
    arns = [
        sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=specification)[
            "ModelPackageArn"
        ]
        for _ in range(2)
    ]
    for arn in arns:
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]

    def served(*stages: str) -> str | None:
        # Another account knows the group by its ARN.
        found = desired_version(sagemaker, group=described if stages else group, quarantined=set(), stages=stages)
        return None if found is None else found["version"]

    assert (served(), served("prod")) == ("2", None)
    life = {"Stage": "prod", "StageStatus": "Approved", "StageDescription": "after a month in staging"}
    sagemaker.update_model_package(ModelPackageArn=arns[0], ModelLifeCycle=life)
    assert (served(), served("prod")) == ("2", "1")
    sagemaker.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Rejected")
    assert (served(), served("prod")) == ("2", None)
