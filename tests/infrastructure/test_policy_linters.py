"""What two linters that are not ours say of every policy of every environment: nothing, and of a bad one something."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from cloudsplaining.scan.policy_document import PolicyDocument
from parliament import analyze_policy_string

from tests.infrastructure.template_roles import Role, Templates

NO_FAULTS = {
    "RESOURCE_STAR": "boundaries and calls that know no resource; cdk-nag asks a reason for each of the others",
    "RESOURCE_MISMATCH sagemaker:AddAssociation": "its two ends are of two of the four kinds that it takes",
    "RESOURCE_MISMATCH states:DescribeExecution": "an execution is one of the two resources it takes",
    "RESOURCE_MISMATCH states:ListExecutions": "a state machine is one of the two resources it takes",
}
"""What parliament says although it is in order, and why it is."""


@pytest.fixture(scope="module")
def roles(assembly: Any) -> list[Role]:
    return [role for stacks in assembly.templates.values() for role in Templates(stacks).roles()]


def malformed(policy: Mapping[str, Any]) -> list[str]:
    """What parliament finds wrong in a policy: unknown actions, resources and conditions that fit no action."""
    findings = analyze_policy_string(json.dumps(policy)).findings
    return [str(finding) for finding in findings if _named(finding) not in NO_FAULTS]


def _named(finding: Any) -> str:
    if finding.issue != "RESOURCE_MISMATCH":
        return str(finding.issue)
    return f"{finding.issue} {', '.join(sorted({part['action'] for part in finding.detail}))}"


def escalations(policies: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ways by which cloudsplaining says that a role with these policies could get more than it was given."""
    statements = [statement for policy in policies for statement in policy["Statement"]]
    whole = PolicyDocument({"Version": "2012-10-17", "Statement": statements})
    return [found["type"] for found in whole.allows_privilege_escalation]


def test_parliament_finds_nothing_in_any_policy(roles: list[Role]) -> None:
    found = {
        f"{role.stack}/{role.logical_id}": problems
        for role in roles
        for policy in (*role.policies, *([role.boundary] if role.boundary else []))
        if (problems := malformed(policy))
    }
    assert found == {}


def test_no_role_can_raise_itself(roles: list[Role]) -> None:
    found = {f"{role.stack}/{role.logical_id}": ways for role in roles if (ways := escalations(role.policies))}
    assert found == {}


@pytest.mark.parametrize(
    ("action", "resource"),
    [("sagemaker:ApproveEverything", "*"), ("s3:GetObject", "arn:aws:s3:::bucket-alone")],
)
def test_parliament_would_find_a_bad_statement(action: str, resource: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert malformed({"Version": "2012-10-17", "Statement": [statement]})


def test_cloudsplaining_would_find_an_escalation() -> None:
    statement = {"Effect": "Allow", "Action": ["iam:PassRole", "sagemaker:CreateTrainingJob"], "Resource": "*"}
    assert escalations([{"Version": "2012-10-17", "Statement": [statement]}])
    assert escalations([{"Version": "2012-10-17", "Statement": [{**statement, "Action": "iam:PutUserPolicy"}]}])
