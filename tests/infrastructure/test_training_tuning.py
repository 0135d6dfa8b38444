"""A search for hyper-parameters, and a training on spare machines, as one step of the pipeline."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.infrastructure.api_arguments import argument_errors
from tests.infrastructure.pipeline_samples import (
    Backend,
    sample_definition,
    sample_workplace,
    steps_by_name,
    tuned_model,
)
from tests.infrastructure.test_policy_linters import malformed
from tests.infrastructure.test_training_against_sdk import all_leaves, made_by_sdk
from tests.infrastructure.test_training_stack import Template, statements, synthesise

Steps = dict[str, dict[str, Any]]
BEST = {
    "Std:Join": {
        "On": "/",
        "Values": [
            "s3://models/bank_churn/tuning",
            {"Get": "Steps.Train.TrainingJobSummaries[0].TrainingJobName"},
            "output/model.tar.gz",
        ],
    }
}
# What the SDK's tuner leaves out of the training job that it is given, and how it joins the same address.
LEFT_OUT = {
    "Train.Arguments.TrainingJobDefinition.EnableInterContainerTrafficEncryption",
    "Train.Arguments.TrainingJobDefinition.EnableNetworkIsolation",
    "Train.Arguments.TrainingJobDefinition.ResourceConfig.VolumeKmsKeyId",
}
JOINED = "Evaluate.Arguments.ProcessingInputs.0.S3Input.S3Uri.Std:Join.Values"


@pytest.fixture(scope="module")
def steps() -> Steps:
    return steps_by_name(sample_definition("open", model=tuned_model()).render())


@pytest.mark.parametrize("backend", get_args(Backend))
def test_no_argument_is_wrong(backend: Backend) -> None:
    tuned = steps_by_name(sample_definition(backend, model=tuned_model()).render())
    assert tuned["Train"]["Type"] == "Tuning"
    assert {name: errors for name, step in tuned.items() if (errors := argument_errors(step))} == {}


@pytest.mark.parametrize("backend", get_args(Backend))
def test_all_who_read_the_artefact_read_the_winners(backend: Backend) -> None:
    tuned = json.dumps(sample_definition(backend, model=tuned_model()).render())
    plain = json.dumps(sample_definition(backend).render())
    assert "Steps.Train.ModelArtifacts" not in tuned
    assert tuned.count(json.dumps(BEST)) == plain.count("Steps.Train.ModelArtifacts.S3ModelArtifacts") > 4


def test_steps_are_what_the_sdk_makes_of_them(steps: Steps) -> None:
    sdk = all_leaves(made_by_sdk("sdk_tuning.py"))
    ours = all_leaves({"Steps": [steps[name] for name in ("Preprocess", "Train", "Evaluate")]})
    differing = {place for place in ours.keys() | sdk.keys() if ours.get(place) != sdk.get(place)}
    assert {place for place in differing if not place.startswith(JOINED)} == LEFT_OUT
    assert not LEFT_OUT & sdk.keys()
    parts = [sdk[place] for place in sorted(sdk) if place.startswith(JOINED)]
    assert "/".join(parts) == (
        "s3://models/bank_churn/tuning/Steps.Train.TrainingJobSummaries[0].TrainingJobName/output/model.tar.gz"
    )


def test_what_decides_on_reuse_is_the_same_in_every_execution(steps: Steps) -> None:
    """The cache key of a tuning leaves its output path out, so the winner's address must not depend on it."""
    assert steps["Train"]["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P7D"}
    assert "Execution." not in json.dumps(steps["Train"])
    spot = tuned_model()
    training = spot.training.model_copy(update={"tuning": None})
    trained = steps_by_name(sample_definition("open", model=spot.model_copy(update={"training": training})).render())
    arguments = trained["Train"]["Arguments"]
    assert trained["Train"]["Type"] == "Training"
    # https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
    deciding = ("AlgorithmSpecification", "CheckpointConfig", "Environment", "HyperParameters", "InputDataConfig")
    assert "Execution." not in json.dumps([arguments[name] for name in deciding])


def test_spare_machines_are_waited_for_and_left_with_checkpoints(steps: Steps) -> None:
    job = steps["Train"]["Arguments"]["TrainingJobDefinition"]
    assert job["EnableManagedSpotTraining"] is True
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    checkpoints = job["CheckpointConfig"]
    assert checkpoints == {"S3Uri": f"{sample_workplace().models_uri}/checkpoints", "LocalPath": "/opt/ml/checkpoints"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("tuned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        yield synthesise("open", folder, checked=True, model=tuned_model())
    shutil.rmtree(folder)


def test_the_pipeline_may_tune_under_the_names_of_its_step_alone(template: Template) -> None:
    tuning = [
        statement
        for statement in statements(template, "PipelinePipelineRole")
        if any("HyperParameterTuningJob" in action for action in statement["Action"])
    ]
    [statement] = tuning
    assert sorted(action.removeprefix("sagemaker:") for action in statement["Action"]) == [
        "AddTags",
        "CreateHyperParameterTuningJob",
        "DescribeHyperParameterTuningJob",
        "ListTrainingJobsForHyperParameterTuningJob",
        "StopHyperParameterTuningJob",
    ]
    ends = [resource["Fn::Join"][1][-1] for resource in statement["Resource"]]
    assert ends == [f":hyper-parameter-tuning-job/????????????-{step}-*" for step in ("Train", "train")]
    arns = [f"arn:aws:sagemaker:eu-west-1:123456789012{end}" for end in ends]
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arns}]}
    assert malformed(policy) == []


def test_a_model_without_tuning_may_not_tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")
    plain = json.dumps(statements(synthesise("open", tmp_path), "PipelinePipelineRole"))
    assert "HyperParameterTuningJob" not in plain
