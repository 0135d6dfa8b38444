"""CloudFormation may change what a serving stack of that kind holds, and no more."""

import json
from typing import Any

import pytest

from tests.conftest import Assembly
from tests.infrastructure.kinds_assembly import KINDS
from tests.infrastructure.template_roles import ACCOUNT, REGION, Request, Role, Templates, allowed


def crud(*names: str, also: tuple[str, ...] = ()) -> set[str]:
    return {f"sagemaker:{verb}{name}" for name in names for verb in ("Create", "Delete", "Describe")} | set(also)


TAGS = ("sagemaker:AddTags",)
CALLS = {
    "AWS::SageMaker::Model": crud("Model", also=(*TAGS, "sagemaker:ListTags", "iam:PassRole")),
    "AWS::SageMaker::EndpointConfig": crud("EndpointConfig", also=(*TAGS, "kms:CreateGrant", "kms:DescribeKey")),
    "AWS::SageMaker::Endpoint": crud(
        "Endpoint",
        also=(*TAGS, "sagemaker:UpdateEndpoint", "sagemaker:DeleteTags", "cloudwatch:DescribeAlarms"),
    ),
    "AWS::SageMaker::DataQualityJobDefinition": crud("DataQualityJobDefinition"),
    "AWS::SageMaker::ModelQualityJobDefinition": crud("ModelQualityJobDefinition"),
    "AWS::SageMaker::ModelBiasJobDefinition": crud("ModelBiasJobDefinition"),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": crud("ModelExplainabilityJobDefinition"),
    "AWS::SageMaker::MonitoringSchedule": crud(
        "MonitoringSchedule",
        also=tuple(f"sagemaker:{verb}MonitoringSchedule" for verb in ("Start", "Stop", "Update")),
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "iam:CreateServiceLinkedRole",
    },
    "AWS::ApplicationAutoScaling::ScalingPolicy": {
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:DescribeScalingPolicies",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:DeleteAlarms",
    },
    "AWS::CloudWatch::Alarm": {
        f"cloudwatch:{call}"
        for call in ("PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource", "ListTagsForResource")
    },
    "AWS::Scheduler::Schedule": {f"scheduler:{verb}Schedule" for verb in ("Create", "Update", "Delete", "Get")},
}
"""What CloudFormation calls to make, change, read and delete a resource of that type."""

SCHEDULED = {
    f"application-autoscaling:{call}"
    for call in ("PutScheduledAction", "DeleteScheduledAction", "DescribeScheduledActions")
}
IN_ANY_CASE = {
    "ssm:GetParameters",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:ListModelPackages",
}


def versioned(template: dict[str, Any]) -> list[dict[str, Any]]:
    return [resource for resource in template["Resources"].values() if "Condition" in resource]


def needed(template: dict[str, Any]) -> set[str]:
    calls = {call for resource in versioned(template) for call in CALLS[resource["Type"]]}
    return calls | (SCHEDULED if "ScheduledActions" in json.dumps(versioned(template)) else set())


def execution_role(assembly: Assembly, environment: str, kind: str) -> Role:
    roles = Templates(assembly.templates[environment]).roles()
    stack = f"baton-{environment}-{kind}-approval"
    [role] = [role for role in roles if role.stack == stack and role.logical_id.startswith("ServingExecutionRole")]
    return role


def granted(role: Role) -> set[str]:
    actions: set[str] = set()
    for policy in role.policies:
        for statement in policy["Statement"]:
            action = statement["Action"]
            actions |= set([action] if isinstance(action, str) else action)
    return actions


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_call_what_the_stack_needs_and_nothing_else(
    kinds_in_prod: Assembly, kinds_in_dev: Assembly, kind: str
) -> None:
    for assembly, environment in ((kinds_in_prod, "prod"), (kinds_in_dev, "dev")):
        calls = needed(assembly.stack(environment, f"{kind}-serving"))
        actions = granted(execution_role(assembly, environment, kind))
        assert calls - actions == set(), f"{environment}: CloudFormation could not update the stack"
        assert actions - calls - IN_ANY_CASE == set(), f"{environment}: more than the stack holds"


def test_its_boundary_takes_nothing_of_that_away(kinds_in_prod: Assembly) -> None:
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm"
    target = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/x"
    sagemaker = {"application-autoscaling:service-namespace": "sagemaker"}
    waker = f"{alarm}:baton-prod-asynchronous-waits-for-an-instance"
    asynchronous, linear = (execution_role(kinds_in_prod, "prod", kind) for kind in ("asynchronous", "linear"))
    asked = [
        (asynchronous, Request("cloudwatch:PutMetricAlarm", waker)),
        (asynchronous, Request("cloudwatch:TagResource", waker)),
        (linear, Request("application-autoscaling:PutScheduledAction", target, sagemaker)),
    ]
    assert allowed(asked) == [True] * len(asked)


def test_no_alarm_that_rolls_back_can_be_changed_by_it(kinds_in_prod: Assembly) -> None:
    role = execution_role(kinds_in_prod, "prod", "asynchronous")
    rolls_back = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:baton-prod-asynchronous-serving-EndpointAlarms-1A2B"
    calls = ("PutMetricAlarm", "DeleteAlarms", "TagResource")
    assert allowed([(role, Request(f"cloudwatch:{call}", rolls_back)) for call in calls]) == [False] * len(calls)


def test_it_passes_the_container_its_role_and_nobody_another(kinds_in_prod: Assembly) -> None:
    templates = Templates(kinds_in_prod.templates["prod"])
    role = execution_role(kinds_in_prod, "prod", "batch")
    container = templates.arn_of("batch-serving", "AWS::IAM::Role", "ModelRole")
    starter = templates.arn_of("batch-serving", "AWS::IAM::Role", "TransformScheduleRole")
    machine = templates.arn_of("batch-serving", "AWS::IAM::Role", "TransformWorkflowMachineRole")
    asked = [
        (role, Request("iam:PassRole", arn, {"iam:PassedToService": f"{service}.amazonaws.com"}))
        for arn, service in (
            (container, "sagemaker"),
            (starter, "scheduler"),
            (container, "scheduler"),
            (machine, "sagemaker"),
            (machine, "states"),
        )
    ]
    assert allowed(asked) == [True, True, False, False, False]
