"""The boundary of the roles that services wear: it cuts nothing they need, and bounds what is attached later."""

import dataclasses
import fnmatch
from typing import Any

import pytest

from tests.infrastructure.template_roles import Request, Role, Templates, allowed
from tests.infrastructure.truth_table import STATUS, VERSION, by_name

PERSONS = ("governance", "studio/StudioComplianceOfficer", "studio/StudioData", "studio/StudioMlops")
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def services(assembly: Any, environment: str) -> dict[str, Role]:
    roles = by_name(list(Templates(assembly.templates[environment]).roles()), environment)
    return {name: role for name, role in roles.items() if not name.startswith(PERSONS)}


def calls(document: Any) -> list[str]:
    statements = [s for s in document["Statement"] if s["Effect"] == "Allow"]
    return [call for s in statements for call in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])]


def cut(role: Role) -> set[str]:
    """The calls of a role that its boundary does not name."""
    bounds = [call.lower() for call in calls(role.boundary)]
    wanted = {call for policy in role.policies for call in calls(policy)}
    return {call for call in wanted if not any(fnmatch.fnmatchcase(call.lower(), bound) for bound in bounds)}


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_every_role_of_a_service_has_the_boundary_and_loses_nothing_by_it(assembly: Any, environment: str) -> None:
    found = services(assembly, environment)
    assert len(found) > 25
    assert len({str(role.boundary) for role in found.values()}) == 1
    assert {name: lost for name, role in found.items() if (lost := cut(role))} == {}


def test_a_call_that_the_boundary_cuts_would_be_found(assembly: Any) -> None:
    role = next(iter(services(assembly, "dev").values()))
    assert "iam:CreateUser" in cut(
        dataclasses.replace(
            role, policies=[{"Statement": [{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}]}]
        )
    )


def test_a_service_gains_no_power_over_people_keys_code_or_verdicts_even_as_administrator(assembly: Any) -> None:
    everything = "*"
    forbidden = [
        Request("sagemaker:UpdateModelPackage", VERSION, {STATUS: "Approved"}),
        Request("sagemaker:CreateModelPackage", VERSION, {STATUS: "Approved"}),
        *(
            Request(action, everything)
            for action in (
                "cloudtrail:StopLogging",
                "iam:CreateAccessKey",
                "iam:CreateRole",
                "iam:DeleteRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:UpdateAssumeRolePolicy",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "lambda:UpdateFunctionCode",
                "s3:BypassGovernanceRetention",
                "s3:DeleteBucket",
                "s3:PutBucketPolicy",
                "states:UpdateStateMachine",
            )
        ),
    ]
    roles = [dataclasses.replace(r, policies=[ANYTHING]) for r in services(assembly, "dev").values()]
    asked = [(role, request) for role in roles for request in forbidden]
    gained = {f"{r.logical_id}: {q.action}" for (r, q), may in zip(asked, allowed(asked), strict=True) if may}
    assert gained == set()
