"""Our definition is what the SageMaker SDK makes of the same pipeline."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.infrastructure.pipeline_samples import ROOT, sample_definition, steps_by_name

# What the SDK writes and we do not, or we and it does not, each for a reason.
CONTAINER = "Register.Arguments.InferenceSpecification.Containers.0"
DIFFERENCES = {
    "Train.Arguments.AlgorithmSpecification.ContainerEntrypoint": "the SDK sets it for its own drivers alone",
    f"{CONTAINER}.Environment.SAGEMAKER_REGION": "where the definition was built, not where the model runs",
    f"{CONTAINER}.Environment.SAGEMAKER_CONTAINER_LOG_LEVEL": "its own taste",
    "Register.Arguments.SkipModelValidation": "the API's default, spelled out",
}
Values = dict[str, Any]


def made_by_sdk(script: str) -> dict[str, Any]:
    """The definition that a script of this folder prints last; it runs the SDK in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "infrastructure" / script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "constructs")])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    definition: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return definition


@pytest.fixture(scope="module")
def sdk() -> dict[str, Any]:
    return made_by_sdk("sdk_pipeline.py")


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(json.dumps(sample_definition("open").render()))
    return definition


def leaves(value: Any, place: str) -> Values:
    """Every plain value by its place; the steps in branches are compared by name, not by place."""
    if isinstance(value, dict):
        pairs = [(key, item) for key, item in value.items() if key not in ("IfSteps", "ElseSteps")]
    elif isinstance(value, list):
        pairs = [(str(index), item) for index, item in enumerate(value)]
    else:
        return {} if value is None else {place: value}
    return {key: leaf for name, item in pairs for key, leaf in leaves(item, f"{place}.{name}").items()}


def all_leaves(definition: dict[str, Any]) -> Values:
    return {key: leaf for name, step in steps_by_name(definition).items() for key, leaf in leaves(step, name).items()}


def unexplained(one: Values, other: Values) -> list[str]:
    return sorted(
        place
        for place in one.keys() | other.keys()
        if one.get(place) != other.get(place) and not place.startswith(tuple(DIFFERENCES))
    )


def test_every_step_is_what_the_sdk_makes_of_it(ours: dict[str, Any], sdk: dict[str, Any]) -> None:
    assert list(steps_by_name(ours)) and steps_by_name(ours).keys() == steps_by_name(sdk).keys()
    assert unexplained(all_leaves(ours), all_leaves(sdk)) == []


def test_branches_and_parameters_are_the_same(ours: dict[str, Any], sdk: dict[str, Any]) -> None:
    def branches(definition: dict[str, Any]) -> list[list[str]]:
        arguments = steps_by_name(definition)["Passed"]["Arguments"]
        return [[step["Name"] for step in arguments[way]] for way in ("IfSteps", "ElseSteps")]

    assert branches(ours) == branches(sdk) == [["Evidence", "Sign", "Register"], ["Refuse"]]
    assert ours["Parameters"] == sdk["Parameters"]
    assert ours["Version"] == sdk["Version"]
    # The SDK enters every execution in SageMaker Experiments by default; ours are found through the registry.
    assert sdk.keys() - ours.keys() == {"PipelineExperimentConfig", "MlflowConfig"}


def test_every_difference_that_is_excused_is_there(ours: dict[str, Any], sdk: dict[str, Any]) -> None:
    one, other = all_leaves(ours), all_leaves(sdk)
    differing = [place for place in one.keys() | other.keys() if one.get(place) != other.get(place)]

    assert [excuse for excuse in DIFFERENCES if not any(place.startswith(excuse) for place in differing)] == []


@pytest.mark.parametrize(
    "place",
    ["Gate.Arguments.RoleArn", "Preprocess.CacheConfig.ExpireAfter", "Passed.Arguments.Conditions.0.RightValue"],
)
def test_a_changed_value_would_be_noticed(ours: dict[str, Any], sdk: dict[str, Any], place: str) -> None:
    changed = all_leaves(ours) | {place: "changed"}

    assert unexplained(changed, all_leaves(sdk)) == [place]
