"""A failed check passes by a waiver that counts, and nothing else does."""

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline_scripts.model import Model
from pipeline_scripts.training.gate import decide
from pipeline_scripts.training.waivers import read_waivers
from tests.runtime.churn import Trained

TODAY, AUTHOR, OFFICER = date(2026, 3, 1), "ada@bank.example", "grace@bank.example"
UNFAIR = {"DPPL": [0.5, 0.9]}
FAILING = "DPPL.gender=Female"


def waiver(check: str = FAILING, **changes: Any) -> dict[str, str]:
    usual = {
        "check": check,
        "approver": OFFICER,
        "reason": "a campaign was aimed at women, see RISK-123",
        "granted": "2026-02-01",
        "expires": "2026-04-01",
    }
    return {**usual, **changes}


def decision(
    trained: Trained, *waivers: dict[str, str], on: date = TODAY, author: str = AUTHOR, **gate: Any
) -> dict[str, Any]:
    strict = {**trained.model.settings["gate"], "fairness": UNFAIR, **gate, "waivers": waivers}
    model: Model = dataclasses.replace(trained.model, settings={**trained.model.settings, "gate": strict})
    names = ("evaluation", "bias", "explainability", "data-quality", "model-quality", "comparison")
    folders = {name: trained.evidence / name.replace("-", "_") for name in names}
    archive = trained.artefact / "model.tar.gz"
    return decide(folders=folders, archive=archive, model=model, on=on, author=author)


def refusing(decision: dict[str, Any]) -> dict[str, str]:
    checks = [check for check in decision["checks"] if not check["passed"] and not check["waived"]]
    return {check["name"]: check["reason"] for check in checks}


def all_but(trained: Trained, *names: str) -> list[dict[str, str]]:
    return [waiver(name) for name in refusing(decision(trained)) if name not in names]


def test_a_waiver_lets_a_failed_check_pass_and_is_shown(trained: Trained) -> None:
    decided = decision(trained, *all_but(trained))
    assert decided["passed"] == 1
    [check] = [check for check in decided["checks"] if check["name"] == FAILING]
    assert not check["passed"], "it is waived, and not good"
    assert check["waived"]["approver"] == OFFICER
    assert f"Waived by {OFFICER} until 2026-04-01: {check['reason']}." in decided["reasons"]
    assert not decided["reasons"].startswith("Passed all")


def test_each_failed_check_needs_its_own(trained: Trained) -> None:
    decided = decision(trained, *all_but(trained, FAILING))
    assert (decided["passed"], set(refusing(decided))) == (0, {FAILING})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"expires": "2026-02-28"}, "it expired on 2026-02-28"),
        ({"granted": "2026-03-02"}, "it only begins on 2026-03-02"),
        ({"approver": "Ada@Bank.Example"}, "ada@bank.example, who approves it, is also the author of the commit"),
    ],
)
def test_a_waiver_that_does_not_count_is_explained(trained: Trained, changes: dict[str, str], why: str) -> None:
    decided = decision(trained, *all_but(trained, FAILING), waiver(**changes))
    assert decided["passed"] == 0
    assert refusing(decided)[FAILING].endswith(f"its waiver does not count: {why}")
    assert why in decided["reasons"]


@pytest.mark.parametrize("author", ["unknown", "Ada Lovelace"])
def test_nothing_is_waived_where_author_and_approver_cannot_be_compared(trained: Trained, author: str) -> None:
    decided = decision(trained, waiver(), author=author)
    assert f"the deployment gives {author!r} as the commit's author" in refusing(decided)[FAILING]


@pytest.mark.parametrize("day", [date(2026, 2, 1), date(2026, 4, 1)])
def test_both_days_count(trained: Trained, day: date) -> None:
    assert decision(trained, *all_but(trained), on=day)["passed"] == 1


def test_a_waiver_for_what_passed_changes_nothing(trained: Trained) -> None:
    decided = decision(trained, waiver("auc"), fairness={"DPPL": [-1, 1]})
    assert decided["passed"] == 1
    assert decided["reasons"].startswith("Passed all ")


@given(
    waived=st.sets(st.sampled_from([FAILING, "DPPL.age_group=60-69", "auc", "champion"])),
    offset=st.integers(-60, 60),
    approver=st.sampled_from([OFFICER, AUTHOR]),
    min_auc=st.sampled_from([0.5, 0.99]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_version_passes_just_when_every_failed_check_has_a_waiver_that_counts(
    trained: Trained, waived: set[str], offset: int, approver: str, min_auc: float
) -> None:
    day = TODAY + timedelta(days=offset)
    decided = decision(trained, *(waiver(name, approver=approver) for name in waived), on=day, min_auc=min_auc)
    failed = {check["name"] for check in decided["checks"] if not check["passed"]}
    counts = date(2026, 2, 1) <= day <= date(2026, 4, 1) and approver != AUTHOR
    assert decided["passed"] == int(failed <= (waived if counts else set()))
    assert set(refusing(decided)) == failed - (waived if counts else set())


def test_waivers_are_read_as_the_specification_writes_them() -> None:
    [(check, read)] = read_waivers([waiver()]).items()
    assert (check, read.granted, read.expires) == (FAILING, date(2026, 2, 1), date(2026, 4, 1))
