"""What is served was signed: nothing of its evidence or artefact can change, come from another, or be left out."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline_scripts.functions.evidence_bundle import BUNDLE, SIGNATURE
from pipeline_scripts.functions.evidence_objects import Refused
from pipeline_scripts.functions.reconcile_choose import desired_version
from pipeline_scripts.functions.sign_evidence import sign_evidence
from tests.runtime import reconcile_world
from tests.runtime.reconcile_world import EVIDENCE, GROUP, MODELS, World, clients, new_world, signing_key
from tests.runtime.tampering import Tampering, tamperings

FOLDER = "bank_churn/run-2"


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Any, Any]]:
    with clients() as found:
        yield found


@pytest.fixture
def world(shared: tuple[Any, Any]) -> World:
    found = new_world(*shared)
    found.register(1)
    found.register(2)
    return found


def judged(world: World) -> tuple[str, str]:
    target = desired_version(world, group=GROUP, quarantined=set())
    state = world.verified({"target": target})
    return state["outcome"], state["reason"]


def event(world: World) -> dict[str, Any]:
    target = desired_version(world, group=GROUP, quarantined=set())
    assert target is not None
    return dict(target)


def signed(world: World, event: dict[str, Any]) -> dict[str, str]:
    return sign_evidence(event, archive=world.archive, lineage=world.lineage)


def flipped(key: str, content: bytearray) -> Tampering:
    return Tampering(kind="bit flip", what="flip a bit", objects={(EVIDENCE, key): bytes(content)})


def test_lineage_is_told_what_a_version_is_made_from(world: World) -> None:
    told = event(world)
    world.lineage.links.clear()
    signed(world, told)
    assert world.lineage.kinds >= {
        ("Commit", "PipelineExecution"),
        ("PipelineExecution", "Evidence"),
        ("PipelineExecution", "Model"),
        ("Evidence", "Model"),
    }
    assert world.lineage.address("Commit") == f"commit:{told['commit']}"
    assert world.lineage.address("PipelineExecution") == told["execution"]
    assert world.lineage.address("Model") == told["artifact_uri"]


def test_lineage_is_told_nothing_of_what_is_refused(world: World) -> None:
    world.lineage.links.clear()
    with pytest.raises(Refused):
        signed(world, {**event(world), "commit": "another"})
    assert world.lineage.links == []


def test_what_was_signed_is_verified(world: World) -> None:
    assert judged(world)[0] == "verified"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"Image": "registry/xgboost:1.7-1"}, "image"),
        ({"Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://mine/code"}}, "container environment"),
        ({"Environment": {}}, "container environment"),
    ],
)
def test_a_container_that_was_swapped_in_the_registry_is_refused(
    world: World, changed: dict[str, Any], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_world, "CONTAINER", {**reconcile_world.CONTAINER, **changed})
    outcome, reason = judged(world)
    assert (outcome, f"is of another {what}" in reason) == ("refused", True), reason


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_no_tampering_is_accepted(world: World, seed: int) -> None:
    tampering = tamperings(world, random.Random(seed))
    with tampering.done(world):
        outcome, reason = judged(world)
    assert (outcome, bool(reason)) == ("refused", True), tampering
    assert judged(world)[0] == "verified", "the world is not what it was"


def test_a_flipped_bit_of_any_file_is_refused_and_named(world: World) -> None:
    for entry in world.s3.list_objects_v2(Bucket=EVIDENCE, Prefix=f"{FOLDER}/")["Contents"]:
        content = bytearray(world.read_evidence(entry["Key"]))
        content[0] ^= 1
        with Tampering(kind="bit flip", what="flip a bit", objects={(EVIDENCE, entry["Key"]): bytes(content)}).done(
            world
        ):
            assert judged(world)[0] == "refused", entry["Key"]


def test_every_byte_of_the_signature_counts(world: World) -> None:
    original = world.read_evidence(f"{FOLDER}/{SIGNATURE}")
    for place in range(0, len(original), 7):
        content = bytearray(original)
        content[place] ^= 1
        with flipped(f"{FOLDER}/{SIGNATURE}", content).done(world):
            assert judged(world)[0] == "refused", place


def test_a_swapped_artefact_is_refused(world: World) -> None:
    world.s3.put_object(Bucket=MODELS, Key=f"{FOLDER}/output/model.tar.gz", Body=world.versions[1].artifact)
    outcome, reason = judged(world)
    assert outcome == "refused" and "the model artefact has the hash" in reason


@pytest.mark.parametrize("ending", ["?theirs", "#theirs"])
def test_an_address_is_not_cut_short_to_that_of_the_signed_artefact(world: World, ending: str) -> None:
    """SageMaker would load an object of the whole name, and the one that was read is another."""
    told = event(world)
    state = world.verified({"target": {**told, "artifact_uri": told["artifact_uri"] + ending}})
    assert state["outcome"] == "refused" and "names no object as Baton does" in state["reason"]


@pytest.mark.parametrize("uri", [f"s3://{MODELS}", f"s3://{MODELS}/", f"s3://{MODELS}//a", "s3://[", "a", ""])
def test_an_address_of_no_object_is_refused_and_not_tried_again(world: World, uri: str) -> None:
    assert world.verified({"target": {**event(world), "artifact_uri": uri}})["outcome"] == "refused"


def replay_older(world: World) -> None:
    """Lay version 1's bundle and signature where version 2's belong."""
    for name in (BUNDLE, SIGNATURE):
        older = world.read_evidence(f"bank_churn/run-1/{name}")
        world.s3.put_object(Bucket=EVIDENCE, Key=f"{FOLDER}/{name}", Body=older)


def test_an_older_bundle_with_its_signature_is_refused(world: World) -> None:
    replay_older(world)
    outcome, reason = judged(world)
    assert outcome == "refused" and "was registered" in reason


def test_an_older_bundle_is_refused_even_where_its_hash_was_registered(world: World) -> None:
    replay_older(world)
    world.sealed[2] = world.sealed[1]
    outcome, reason = judged(world)
    assert outcome == "refused" and "of another execution" in reason


def test_a_signature_of_another_key_is_refused(world: World) -> None:
    right = world.key_arn
    world.key_arn = signing_key(world.kms)
    world.seal(2)
    world.key_arn = right
    outcome, reason = judged(world)
    assert outcome == "refused" and "another key_arn" in reason


def test_a_signature_of_another_key_that_names_the_right_one_is_refused(world: World) -> None:
    right = world.key_arn
    world.key_arn = signing_key(world.kms)
    world.seal(2)
    forged = {**json.loads(world.read_evidence(f"{FOLDER}/{SIGNATURE}")), "key_arn": right}
    world.key_arn = right
    body = json.dumps(forged, sort_keys=True, separators=(",", ":")).encode()
    world.s3.put_object(Bucket=EVIDENCE, Key=f"{FOLDER}/{SIGNATURE}", Body=body)
    outcome, reason = judged(world)
    assert outcome == "refused" and "not made by this environment's key" in reason


def test_a_missing_signature_is_refused(world: World) -> None:
    world.s3.delete_object(Bucket=EVIDENCE, Key=f"{FOLDER}/{SIGNATURE}")
    outcome, reason = judged(world)
    assert outcome == "refused" and "signature.json does not exist" in reason


def test_a_version_that_was_registered_without_evidence_is_refused(world: World) -> None:
    del world.sealed[2]
    assert judged(world) == ("refused", "no signed evidence was registered with it; reject it and train again")


def test_the_signer_answers_with_the_hash_that_the_registry_keeps(world: World) -> None:
    answer = signed(world, event(world))
    assert answer == {"bundle_sha256": world.sealed[2]}
    assert judged(world)[0] == "verified"


@pytest.mark.parametrize("name", ["execution", "commit", "dataset_hash", "artifact_sha256"])
def test_the_signer_refuses_a_bundle_that_says_otherwise_than_the_pipeline(world: World, name: str) -> None:
    with pytest.raises(Refused, match="its bundle of evidence is of another"):
        signed(world, {**event(world), name: "something else"})


def test_the_signer_refuses_evidence_that_changed_since_it_was_bundled(world: World) -> None:
    world.put_evidence(2, "bias/analysis.json", {"changed": True})
    with pytest.raises(Refused, match=r"bias/analysis.json is not the file that the bundle lists"):
        signed(world, event(world))


def test_the_signer_refuses_what_the_gate_refused(world: World) -> None:
    gate = {"passed": 0, "artifact_sha256": replace(world.versions[2]).artifact_sha256}
    world.put_evidence(2, "gate/gate.json", gate)
    world.seal(2)
    with pytest.raises(Refused, match="its gate did not pass"):
        signed(world, event(world))
