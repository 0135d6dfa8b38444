"""The champion is the highest approved version; until there is one, the challenger stands in for its artefact."""

from collections.abc import Iterator

import pytest

from pipeline_scripts.functions.find_champion import NONE, find_champion
from pipeline_scripts.training import compare
from tests.runtime.reconcile_world import GROUP, MODELS, World, clients, new_world

EVENT = {"challenger_uri": "s3://models/bank_churn/new/output/model.tar.gz"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with clients() as (dynamodb, s3):
        yield new_world(dynamodb, s3)


def test_without_an_approved_version_the_challenger_stands_in(world: World) -> None:
    world.versions.clear()
    world.register(1, status="Rejected")
    world.register(2, status="PendingManualApproval")
    found = find_champion(EVENT, sagemaker=world, group=GROUP)
    assert found == {"version": NONE, "artifact_uri": EVENT["challenger_uri"], "artifact_sha256": "none"}


def test_the_highest_approved_version_is_the_champion(world: World) -> None:
    world.versions.clear()
    for number, status in ((1, "Approved"), (2, "Approved"), (3, "Rejected"), (4, "PendingManualApproval")):
        world.register(number, status=status)
    found = find_champion(EVENT, sagemaker=world, group=GROUP)
    assert found["version"] == "2"
    assert found["artifact_uri"] == f"s3://{MODELS}/bank_churn/run-2/output/model.tar.gz"
    assert found["artifact_sha256"] == world.versions[2].artifact_sha256


def test_the_job_knows_a_missing_champion_by_the_same_number() -> None:
    assert NONE == compare.NONE
