"""Nobody but the officer brings a version into service, as an evaluator that is not ours reads the policies."""

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infrastructure.template_roles import Role, Templates
from tests.infrastructure.truth_table import OFFICER, by_name, evaluate, expected, probes, self_approval_paths

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "roles.md"
PIPELINE = "bank-churn-training/PipelinePipelineRole"
Table = dict[str, dict[str, bool]]


@pytest.fixture(scope="module")
def templates(assembly: Any) -> Templates:
    return Templates(assembly.templates["dev"])


@pytest.fixture(scope="module")
def roles(templates: Templates) -> dict[str, Role]:
    return by_name(list(templates.roles()))


@pytest.fixture(scope="module")
def table(roles: dict[str, Role], templates: Templates) -> Table:
    return evaluate(roles, templates)


def test_at_least_sixty_actions_are_asked_of_every_role(
    table: Table, roles: dict[str, Role], templates: Templates
) -> None:
    assert len({request.action for request in probes(roles, templates).values()}) >= 60
    assert set(table) == set(roles)


def test_every_cell_that_the_reviewer_did_not_allow_is_denied(table: Table) -> None:
    found = {role: {probe for probe, may in row.items() if may} for role, row in table.items()}
    assert {role: may for role, may in found.items() if may} == expected()


def test_no_path_leads_past_the_officer(table: Table) -> None:
    assert self_approval_paths(table) == []


def weakened(role: Role, *, statement: dict[str, Any], without_denials: bool) -> Role:
    """`role` with one more permission, and maybe none of its denials."""
    policies = copy.deepcopy(list(role.policies))
    if without_denials:
        policies = [{**p, "Statement": [s for s in p["Statement"] if s["Effect"] == "Allow"]} for p in policies]
    extra = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **statement}]}
    return dataclasses.replace(role, policies=[*policies, extra], boundary=None if without_denials else role.boundary)


@pytest.mark.parametrize(
    ("role", "action", "path"),
    [
        (PIPELINE, "sagemaker:UpdateModelPackage", "approve a version"),
        (PIPELINE, "sagemaker:UpdateModelPackage", "change a version without a verdict"),
        (PIPELINE, "sagemaker:CreateModelPackage", "register as approved"),
        (PIPELINE, "sagemaker:CreateModelPackage", "register without a status"),
        (PIPELINE, "sagemaker:CreateModelPackage", "register as pending in a stage"),
        (PIPELINE, "iam:PassRole", "pass the deployer to cloudformation"),
        (PIPELINE, "cloudformation:UpdateStack", "update the serving stack as the bootstrap's role"),
        ("governance/TeamDataScientist", "sts:AssumeRole", "become the officer"),
        ("governance/TeamDataEngineer", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionCode"),
        ("governance/TeamMlopsEngineer", "events:PutTargets", "events:PutTargets"),
    ],
)
def test_a_weakened_policy_is_found(
    roles: dict[str, Role], templates: Templates, role: str, action: str, path: str
) -> None:
    weak = weakened(roles[role], statement={"Action": action}, without_denials=True)
    assert f"{role}: {path}" in self_approval_paths(evaluate({**kept(roles), role: weak}, templates))


@pytest.mark.parametrize("role", [PIPELINE, "bank-churn-training/PipelineJobRoleContainer"])
def test_what_is_attached_later_lets_a_scientists_code_neither_approve_nor_redirect(
    roles: dict[str, Role], templates: Templates, role: str
) -> None:
    administrator = weakened(roles[role], statement={"Action": "*"}, without_denials=False)
    row = evaluate({**kept(roles), role: administrator}, templates)[role]
    for path in (
        "approve a version",
        "change a version without a verdict",
        "register as approved",
        "register without a status",
        "register as pending in a stage",
        "update the serving stack as the bootstrap's role",
        "events:PutTargets",
        "iam:UpdateAssumeRolePolicy",
        "lambda:UpdateFunctionCode",
        "sagemaker:UpdateEndpoint",
        "states:UpdateStateMachine",
    ):
        assert not row[path], path


@pytest.mark.parametrize("persona", ["DataScientist", "DataEngineer", "MlopsEngineer"])
def test_a_persona_stays_within_its_boundary_even_as_administrator(
    roles: dict[str, Role], templates: Templates, table: Table, persona: str
) -> None:
    role = f"governance/Team{persona}"
    administrator = weakened(roles[role], statement={"Action": "*"}, without_denials=False)
    row = evaluate({**kept(roles), role: administrator}, templates)[role]
    gained = {probe for probe, may in row.items() if may and not table[role][probe]}
    assert not {probe for probe in gained if probe.startswith(("approve", "change", "register", "pass", "update"))}
    assert not {probe for probe in gained if probe.startswith(("iam:", "events:", "cloudformation:"))}


def test_the_officers_role_is_put_on_without_tags_of_ones_own(roles: dict[str, Role]) -> None:
    trust = {statement["Action"]: statement["Condition"] for statement in roles[OFFICER].trust["Statement"]}
    # Without sts:TagSession no session brings another persona's tag.
    assert set(trust) == {"sts:AssumeRole", "sts:SetSourceIdentity"}
    for condition in trust.values():
        assert condition["StringEquals"]["aws:PrincipalTag/baton-persona"] == "compliance-officer"
    assert [name for name, role in roles.items() if role.tags.get("baton-persona") == "compliance-officer"] == [OFFICER]


def test_the_document_tells_what_the_table_allows() -> None:
    lines = {row(role, may) for role, may in expected().items()}
    assert lines == {line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")}


def row(role: str, may: set[str]) -> str:
    return f"| `{role}` | {'; '.join(sorted(may))} |"


def test_without_its_denial_the_officer_could_rewrite_the_hash(
    roles: dict[str, Role], templates: Templates, table: Table
) -> None:
    path = "approve a version and rewrite its hash"
    weak = dataclasses.replace(roles[OFFICER], boundary=None)
    assert evaluate({**kept(roles), OFFICER: weak}, templates)[OFFICER][path]
    assert not table[OFFICER][path]


def kept(roles: dict[str, Role]) -> dict[str, Role]:
    """The roles that probes are about."""
    return {
        name: roles[name]
        for name in (OFFICER, "bank-churn-approval/ServingExecutionRole", "bank-churn-serving/ModelRole")
    }


def test_the_expectation_is_written_in_order() -> None:
    written = yaml.safe_load(Path(__file__).with_name("truth_table.yaml").read_text(encoding="utf-8"))
    assert all(names == sorted(names) for names in written.values())
