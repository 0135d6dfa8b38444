"""A version beside the one that serves: a rejected one does not stay, and it is not asked in the other's place."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline_scripts.functions.reconcile_beside import CHALLENGER, SHADOW
from tests.runtime.reconcile_world import World, clients, new_world, refused


class TwoVersions(World):
    """A world in which a challenger answers every request that does not name a variant."""

    def invoke_endpoint(self, *, TargetVariant: str = "", **request: Any) -> dict[str, Any]:
        challenger = self.parameters[CHALLENGER].rpartition("/")[2]
        if TargetVariant == "AllTraffic" or challenger == "none":
            return super().invoke_endpoint(**request)
        assert not TargetVariant, "the variant of the approved version is called AllTraffic"
        served, self.serving = self.serving, int(challenger)
        answer: dict[str, Any] = super().invoke_endpoint(**request)
        self.serving = served
        return answer


@pytest.fixture
def world() -> Iterator[TwoVersions]:
    with clients() as made:
        plain = new_world(*made)
        found = TwoVersions(dynamodb=plain.dynamodb, s3=plain.s3, kms=plain.kms, key_arn=plain.key_arn)
        found.parameters |= {CHALLENGER: "none", SHADOW: "none"}
        yield found


def beside(world: World, parameter: str, number: int, status: str) -> None:
    """Serve version 5, with another beside it."""
    world.register(5)
    other = world.register(number, status=status)
    world.run("first")
    world.parameters[parameter] = other.arn
    world.config = f"config-5-{number}"
    world.run("second")


def test_the_approved_version_is_proven_and_not_its_challenger(world: TwoVersions) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    assert world.ledger.quarantined() == set()
    assert world.ledger.current()["version"] == "5"
    assert world.parameters[CHALLENGER].endswith("/3"), "a person named it, and the registry has nothing against it"


@pytest.mark.parametrize(
    ("parameter", "status", "stays"),
    [
        (CHALLENGER, "Approved", True),
        (CHALLENGER, "PendingManualApproval", False),
        (CHALLENGER, "Rejected", False),
        (SHADOW, "Approved", True),
        (SHADOW, "PendingManualApproval", True),
        (SHADOW, "Rejected", False),
    ],
)
def test_who_may_stand_beside_the_approved_version(
    world: TwoVersions, parameter: str, status: str, stays: bool
) -> None:
    beside(world, parameter, 3, status)
    assert (world.parameters[parameter] != "none") is stays
    assert world.parameters["ModelVersion"] == "5"
    assert world.ledger.current()["config_name"] == world.config


@pytest.mark.parametrize("parameter", [CHALLENGER, SHADOW])
def test_a_rejection_takes_it_away(world: TwoVersions, parameter: str) -> None:
    beside(world, parameter, 3, "Approved")
    world.decide(3, "Rejected")
    world.run("third")
    assert (world.parameters[parameter], world.parameters["ModelVersion"]) == ("none", "5")
    updates = len(world.updates)
    assert world.run("sweep") == ["Begin", "Choose", "Chosen", "Done"]
    assert len(world.updates) == updates


def test_a_quarantined_version_does_not_stay(world: TwoVersions) -> None:
    world.register(3, behaviour="wrong answers")
    world.run("first")
    world.register(2)
    world.run("second")
    assert world.parameters["ModelVersion"] == "2"
    world.parameters[CHALLENGER] = world.versions[3].arn
    world.run("third")
    assert world.parameters[CHALLENGER] == "none"


def test_a_version_that_the_registry_forgot_does_not_stay(world: TwoVersions, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(world, CHALLENGER, 3, "Approved")
    known: Callable[..., dict[str, Any]] = world.describe_model_package

    def describe(*, ModelPackageName: str) -> dict[str, Any]:
        if ModelPackageName.endswith("/3"):
            raise refused("ValidationException", "does not exist", "DescribeModelPackage")
        return known(ModelPackageName=ModelPackageName)

    del world.versions[3]
    monkeypatch.setattr(world, "describe_model_package", describe)
    world.run("third")
    assert world.parameters[CHALLENGER] == "none"
