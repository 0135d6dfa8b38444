"""An endpoint that explains: the stack is told of the version's inputs, and the proof sees through wrapped answers."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline_scripts.functions.reconcile_explanation import NEVER
from pipeline_scripts.functions.reconcile_parameters import EXPLAINED, UNKNOWN, explains
from tests.runtime.reconcile_world import World, clients, new_world, refused

INPUTS = "balance,country;numerical,categorical"
FAULTS: dict[str, Any] = {
    "none": {},
    "too few": {"kernel_shap": [[{"attributions": [{"attribution": [0.1]}]}]]},
    "no number": {"kernel_shap": [[{"attributions": [{"attribution": [0.1]}]}, {"attributions": []}]]},
    "no row": {"kernel_shap": [None]},
}


class Explained(World):
    """A world whose endpoint explains, as soon as the stack was told of the inputs."""

    fault: str | None = None

    def invoke_endpoint(self, *, EnableExplanations: str = "", **request: Any) -> dict[str, Any]:
        if not explains(self.parameters):
            assert not EnableExplanations, "SageMaker refuses it where there is no explainer"
            plain: dict[str, Any] = super().invoke_endpoint(**request)
            return plain
        assert EnableExplanations, "without it the endpoint would explain as its configuration says, which takes long"
        answer = super().invoke_endpoint(**request)["Body"].read().decode()
        content = {
            "version": "1.0",
            "predictions": {"content_type": "text/csv; charset=utf-8", "data": answer},
            "explanations": {} if EnableExplanations == NEVER else self.explanation(),
        }
        return {"Body": io.BytesIO(json.dumps(content).encode())}

    def explanation(self) -> Any:
        if self.fault == "error":
            raise refused("ModelError", "the explainer timed out", "InvokeEndpoint")
        if self.fault:
            return FAULTS[self.fault]
        names = self.parameters[EXPLAINED].partition(";")[0].split(",")
        return {"kernel_shap": [[{"feature_header": name, "attributions": [{"attribution": [0.1]}]} for name in names]]}


@pytest.fixture
def world() -> Iterator[Explained]:
    with clients() as made:
        plain = new_world(*made)
        found = Explained(dynamodb=plain.dynamodb, s3=plain.s3, kms=plain.kms, key_arn=plain.key_arn)
        found.parameters |= {EXPLAINED: "none"}
        yield found


def test_a_version_comes_with_its_inputs_in_one_update(world: Explained) -> None:
    world.register(1)
    world.run()
    assert world.parameters[EXPLAINED] == INPUTS
    assert len(world.updates) == 1
    assert world.ledger.current()["version"] == "1"


def test_an_explainer_that_is_added_is_told_by_the_next_run_and_then_left_alone(world: Explained) -> None:
    del world.parameters[EXPLAINED]
    world.register(1)
    world.run("before")
    world.parameters[EXPLAINED] = "none"  # as a deployment adds it
    world.run("after")
    assert world.parameters[EXPLAINED] == INPUTS
    assert world.ledger.current()["config_name"] == "config-1-explained"
    world.run("sweep")
    assert len(world.updates) == 2


def test_another_version_brings_its_own_inputs(world: Explained) -> None:
    world.register(1)
    world.run("first")
    world.register(2)
    canary = {"request": "1", "expected": world.versions[2].probability}
    inputs = {"names": ["balance"], "types": ["numerical"]}
    world.put_evidence(2, "evaluation/evaluation.json", {"canary": canary, "explained_inputs": inputs})
    world.seal(2)
    world.run("second")
    assert (world.serving, world.parameters[EXPLAINED]) == (2, "balance;numerical")
    world.decide(2, "Rejected")
    world.run("back")
    assert (world.serving, world.parameters[EXPLAINED]) == (1, INPUTS)


@pytest.mark.parametrize("inputs", [None, {}, {"names": [], "types": []}, {"names": ["a"], "types": []}, "a;b"])
def test_a_version_that_tells_no_inputs_serves_unexplained(world: Explained, inputs: Any) -> None:
    world.register(1)
    canary = {"request": "1,2", "expected": world.versions[1].probability}
    world.put_evidence(1, "evaluation/evaluation.json", {"canary": canary, "explained_inputs": inputs})
    world.seal(1)
    world.run("first")
    world.run("sweep")
    assert world.parameters[EXPLAINED] == UNKNOWN
    assert (world.serving, len(world.updates)) == (1, 1)


def test_a_wrong_answer_is_seen_through_its_wrapping(world: Explained) -> None:
    world.register(1)
    world.run("first")
    world.register(2, behaviour="wrong answers")
    world.run("second")
    assert world.serving == 1
    assert world.ledger.quarantined() == {world.versions[2].arn}


@pytest.mark.parametrize("fault", [*FAULTS, "error"])
def test_a_new_version_that_is_not_explained_is_quarantined(world: Explained, fault: str) -> None:
    world.register(1)
    world.run("first")
    world.register(2)
    world.fault = fault
    world.run("second")
    assert world.versions[2].arn in world.ledger.quarantined()


def test_an_explainer_that_came_later_is_no_fault_of_the_version(world: Explained) -> None:
    del world.parameters[EXPLAINED]
    world.register(1)
    world.run("before")
    world.parameters[EXPLAINED], world.fault = "none", "error"
    world.run("after")
    assert world.ledger.quarantined() == set()
    assert world.serving == 1
    assert "explainer timed out" in world.messages[-1]


def test_an_endpoint_that_should_explain_and_answers_plainly_is_disproved(world: Explained) -> None:
    world.register(1)
    plain = super(Explained, world).invoke_endpoint
    world.invoke_endpoint = lambda **request: plain(**request)  # type: ignore[method-assign]
    world.run()
    assert world.versions[1].arn in world.ledger.quarantined()
