"""Each environment's own officer approves for it, as an evaluator that is not ours reads roles and group together."""

import dataclasses

import pytest

from tests.infrastructure.shared_assembly import DEV, PROD
from tests.infrastructure.shared_group import (
    IN_STAGING,
    OFFICER,
    PROBES,
    STATUS,
    UPDATE,
    Registry,
    stage,
    unbound,
    without,
)


@pytest.fixture(scope="module", params=["one account", "two accounts"])
def pair(request: pytest.FixtureRequest) -> Registry:
    return Registry(request.param)


@pytest.fixture(scope="module")
def chain() -> Registry:
    return Registry("three accounts")


def test_of_all_roles_of_both_environments_each_officer_decides_for_their_own(pair: Registry) -> None:
    cells = [(place, probe) for place in pair.roles for probe in PROBES]
    answers = pair.may([(pair.roles[place], *PROBES[probe]) for place, probe in cells])
    found = {(*place, probe) for (place, probe), answer in zip(cells, answers, strict=True) if answer}
    assert len(pair.roles) > 40
    assert found == {
        ("staging", OFFICER, "approve"),
        ("staging", OFFICER, "reject"),
        ("staging", "bank-churn-training/PipelinePipelineRole", "register"),
        ("prod", OFFICER, "approve for prod"),
        ("prod", OFFICER, "reject for prod"),
        ("prod", OFFICER, "approve for prod again"),
    }


@pytest.mark.parametrize(
    ("environment", "probe", "denial"),
    [
        ("staging", "approve for prod", "ProdDecidesForItself"),
        ("prod", "approve", "OwnVerdictIsTheOwners"),
        ("staging", "approve for a stage of nobody's", "NoStageOfNobodys"),
        ("staging", "register as approved for prod", "VersionsAreBornInNoStage"),
    ],
)
def test_even_an_officers_role_with_every_permission_is_held_by_the_group(
    environment: str, probe: str, denial: str
) -> None:
    """In one account, where the role's own policy could allow anything; without the denial it would."""
    shared = Registry("one account")
    everything = (unbound(shared.officer(environment)), *PROBES[probe])
    assert shared.may([everything]) == [False]
    assert shared.may([everything], without(shared.policy, denial)) == [True]


def test_a_role_of_the_registrys_account_cannot_pass_for_prods_officer() -> None:
    shared = Registry("two accounts")
    tags = shared.officer("prod").tags
    impostor = (dataclasses.replace(unbound(shared.officer("staging")), tags=tags), *PROBES["approve for prod"])
    assert shared.may([impostor]) == [False]
    assert shared.may([impostor], without(shared.policy, "ProdDecidesInItsAccount")) == [True]


@pytest.mark.parametrize("change", ["another account", "another name", "another persona", "another environment"])
def test_what_is_granted_to_prods_officer_is_granted_to_no_similar_role(change: str) -> None:
    shared = Registry("two accounts")
    officer = unbound(shared.officer("prod"))
    other = {
        "another account": {"arn": officer.arn.replace(PROD, DEV)},
        "another name": {"arn": officer.arn.replace("baton-prod-", "anybody-")},
        "another persona": {"tags": {**officer.tags, "baton-persona": "data-scientist"}},
        "another environment": {"tags": {**officer.tags, "baton:environment": "dev"}},
    }[change]
    similar = dataclasses.replace(officer, **other)  # type: ignore[arg-type]
    cell = PROBES["approve for prod"]
    assert shared.may([(officer, *cell), (similar, *cell)]) == [True, False]


TURNS = {
    "staging, first": ("staging", stage("staging"), True),
    "staging, again": ("staging", stage("staging", now=("staging", "Rejected")), True),
    "staging, rejecting what prod approved": ("staging", stage("staging", "Rejected", now=("prod", "Approved")), True),
    "staging, approving what prod approved": ("staging", stage("staging", now=("prod", "Approved")), False),
    "staging, for prod": ("staging", stage("prod", now=IN_STAGING), False),
    "prod, before staging": ("prod", stage("prod"), False),
    "prod, after staging's rejection": ("prod", stage("prod", now=("staging", "Rejected")), False),
    "prod, after staging's approval": ("prod", stage("prod", now=IN_STAGING), True),
    "prod, again": ("prod", stage("prod", now=("prod", "Rejected")), True),
    "prod, for staging": ("prod", stage("staging"), False),
    "dev, for staging": ("dev", stage("staging"), False),
    "dev, its own": ("dev", {STATUS: "Approved"}, True),
    "staging, dev's own": ("staging", {STATUS: "Approved"}, False),
}


def test_a_version_passes_the_environments_in_their_order(chain: Registry) -> None:
    answers = chain.may([(chain.officer(name), UPDATE, told) for name, told, _ in TURNS.values()])
    assert dict(zip(TURNS, answers, strict=True)) == {turn: may for turn, (*_, may) in TURNS.items()}


@pytest.mark.parametrize(
    ("turn", "denial"),
    [
        ("prod, before staging", "ProdComesAfterStaging"),
        ("prod, after staging's rejection", "ProdNeedsTheApprovalOfStaging"),
        ("staging, approving what prod approved", "StagingApprovesNothingBackFromProd"),
    ],
)
def test_the_order_is_held_by_the_group(chain: Registry, turn: str, denial: str) -> None:
    name, told, _ = TURNS[turn]
    assert chain.may([(chain.officer(name), UPDATE, told)], without(chain.policy, denial)) == [True]
