"""What would replace a feature group is refused before synthesis, with the two ways out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.feature_lock import check_feature_groups, is_current, write_lock
from stacks.settings import ENVIRONMENTS, ConfigurationError, load_environment, load_models

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "config" / "models"
ENVIRONMENT_FILES = [load_environment(name, ROOT / "config" / "environments") for name in ENVIRONMENTS]
[DEV, *_] = ENVIRONMENT_FILES
Change = Callable[[dict[str, Any]], object]


def changed(folder: Path, *changes: Change, name: str = "model") -> Any:
    """The committed model with some changes to its file."""
    content = yaml.safe_load((MODELS / "bank_churn.yaml").read_text())
    del content["quality"]  # its rules name columns that a change may rename
    for change in changes:
        change(content)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return load_models([path], [DEV])[0]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of the committed model."""
    path = tmp_path / "lock.json"
    write_lock([changed(tmp_path)], [DEV], path)
    return path


def version(number: int) -> Change:
    return lambda content: content["feature_store"].update(version=number)


def test_the_committed_lock_holds_the_committed_models() -> None:
    models = load_models(list(MODELS.glob("*.yaml")), ENVIRONMENT_FILES)
    assert is_current(models, ENVIRONMENT_FILES), "run: make feature-lock"


def test_an_added_feature_and_another_lifetime_pass_and_leave_the_lock_behind(tmp_path: Path, lock: Path) -> None:
    longer = changed(tmp_path, lambda content: content["feature_store"].update(ttl_days=7))
    check_feature_groups([longer], [DEV], lock)
    assert is_current([longer], [DEV], lock)
    extended = changed(tmp_path, lambda content: content["facets"].update(churned=[1]))
    check_feature_groups([extended], [DEV], lock)
    assert not is_current([extended], [DEV], lock)
    write_lock([extended], [DEV], lock)
    assert is_current([extended], [DEV], lock)


def test_a_feature_that_becomes_a_facet_stays_in_its_group(tmp_path: Path, lock: Path) -> None:
    moved = changed(
        tmp_path,
        lambda content: content["features"].remove("country"),
        lambda content: content["facets"].update(country=["Spain"]),
        lambda content: content["fairness"].pop("condition_on"),
    )
    check_feature_groups([moved], [DEV], lock)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda content: content["features"].remove("balance"), r"features: balance is in the group"),
        (
            lambda content: content["columns"]["BALANCE"].update(type="integer"),
            r"features: balance is Fractional in the group and would be Integral",
        ),
        (
            lambda content: content["columns"]["CUSTOMER_ID"].update(output="person_ref"),
            r"features: customer_ref is in the group",
        ),
        (
            lambda content: content["feature_store"].update(online=False, ttl_days=None),
            r"online: is true in the group and would be false",
        ),
    ],
    ids=["removed", "retyped", "another identifier", "no online store"],
)
def test_what_would_replace_a_group_is_refused_with_both_ways_out(
    tmp_path: Path, lock: Path, change: Change, complaint: str
) -> None:
    faulty = changed(tmp_path, change)
    before = lock.read_text()
    for act in (check_feature_groups, write_lock):
        with pytest.raises(ConfigurationError, match=complaint) as refusal:
            act([faulty], [DEV], lock)
        assert str(refusal.value).startswith(f"{lock}: dev.baton-dev-bank-churn.")
        assert "again" in str(refusal.value) or "put it back" in str(refusal.value)
        assert "or make a new group with feature_store: {version: 2} in the file of bank_churn" in str(refusal.value)
    assert lock.read_text() == before
    check_feature_groups([changed(tmp_path, change, version(2))], [DEV], lock)


def test_a_new_version_stands_beside_the_old_one_in_the_lock_and_cannot_be_taken_back(
    tmp_path: Path, lock: Path
) -> None:
    write_lock([changed(tmp_path, version(2))], [DEV], lock)
    assert list(json.loads(lock.read_text())["dev"]) == ["baton-dev-bank-churn", "baton-dev-bank-churn-v2"]
    with pytest.raises(ConfigurationError, match=r"put feature_store: \{version: 2\} back in its file, or go on to"):
        check_feature_groups([changed(tmp_path)], [DEV], lock)


def test_a_model_the_lock_does_not_know_is_new(tmp_path: Path, lock: Path) -> None:
    check_feature_groups([changed(tmp_path, lambda content: content.update(name="fraud"))], [DEV], lock)
    check_feature_groups([changed(tmp_path)], [DEV], tmp_path / "none.json")


def test_two_models_cannot_share_a_group(tmp_path: Path, lock: Path) -> None:
    second = changed(tmp_path, version(2))
    namesake = changed(tmp_path, lambda content: content.update(name="bank_churn_v2"), name="namesake")
    with pytest.raises(ConfigurationError, match=r"both have the feature group baton-dev-bank-churn-v2"):
        check_feature_groups([second, namesake], [DEV], lock)


def test_a_lock_that_is_not_json_is_refused(tmp_path: Path, lock: Path) -> None:
    lock.write_text("{")
    with pytest.raises(ConfigurationError, match="is not JSON"):
        check_feature_groups([changed(tmp_path)], [DEV], lock)


def test_the_lock_is_the_same_however_often_it_is_written(tmp_path: Path, lock: Path) -> None:
    before = lock.read_text()
    write_lock([changed(tmp_path)], [DEV], lock)
    assert lock.read_text() == before


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda content: content["columns"]["CUSTOMER_ID"].update(treatment="keyed_hash"),
            "feature_store: a record is found by the surrogate of the person it is about",
        ),
        (
            lambda content: (
                content["columns"]["BALANCE"].update(output="Write_Time"),
                content["features"].__setitem__(content["features"].index("balance"), "Write_Time"),
            ),
            "Feature Store keeps the name Write_Time for itself",
        ),
        (
            lambda content: (
                content["columns"]["BALANCE"].update(output="_balance"),
                content["features"].__setitem__(content["features"].index("balance"), "_balance"),
            ),
            "begins and ends with a letter or digit, got _balance",
        ),
        (
            lambda content: content["columns"]["BALANCE"].update(type="date"),
            "balance is a date; generalise it into bands",
        ),
        (
            lambda content: content["feature_store"].update(online=False),
            "ttl_days is of online records, and online is false",
        ),
    ],
    ids=["no surrogate", "reserved name", "name with an edge", "date", "lifetime of nothing"],
)
def test_a_model_that_cannot_have_a_group_is_refused(tmp_path: Path, change: Change, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        changed(tmp_path, change)
