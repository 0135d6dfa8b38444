"""Versions enter a group pending, the officer alone decides, and whoever must hear of it does."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from baton.registry.model_registry import ModelRegistry

GROUP = "baton-dev-bank-churn"


@pytest.fixture(scope="module")
def template() -> Template:
    stack = cdk.Stack()
    registry = ModelRegistry(
        stack,
        "Registry",
        group_name=GROUP,
        description="Bank customer churn",
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    for name, grant in (("Reader", registry.grant_read), ("Writer", registry.grant_register)):
        grant(iam.Role(stack, name, assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")))
    registry.on_status_change(stack, "Changed", description="Somebody decided").add_target(
        targets.SqsQueue(sqs.Queue(stack, "Queue"))
    )
    return Template.from_stack(stack)


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy")
    (policy,) = [body for body in policies.values() if role in json.dumps(body["Properties"]["Roles"])]
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_the_group_outlives_its_stack_where_it_is_told_to(template: Template) -> None:
    template.has_resource("AWS::SageMaker::ModelPackageGroup", {"DeletionPolicy": "Retain"})


def test_the_groups_policy_denies_every_verdict_but_the_officers(template: Template) -> None:
    (group,) = template.find_resources("AWS::SageMaker::ModelPackageGroup").values()
    policy = group["Properties"]["ModelPackageGroupPolicy"]["Statement"]

    assert {(s["Effect"], s["Action"]) for s in policy} == {
        ("Deny", "sagemaker:UpdateModelPackage"),
        ("Deny", "sagemaker:CreateModelPackage"),
    }
    assert all(s["Principal"] == {"AWS": "*"} for s in policy)


def test_a_writer_may_register_pending_versions_of_this_group_only(template: Template) -> None:
    (statement,) = statements(template, "Writer")

    assert statement["Action"] == "sagemaker:CreateModelPackage"
    assert statement["Condition"] == {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    assert all(GROUP in json.dumps(resource) for resource in statement["Resource"])


def test_a_reader_changes_nothing(template: Template) -> None:
    (statement,) = statements(template, "Reader")

    assert all(action.startswith(("sagemaker:Describe", "sagemaker:List")) for action in statement["Action"])


def test_the_rule_hears_this_group_and_no_other(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {"ModelPackageGroupName": [GROUP]},
            }
        },
    )
