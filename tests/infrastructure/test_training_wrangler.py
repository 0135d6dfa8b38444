"""A flow is the first step of its model's pipeline, and nothing changes for a model without one."""

import json
import os
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from app import build
from baton.foundation.images import REGIONS, images_in
from stacks.settings import load_models
from tests.infrastructure.api_arguments import argument_errors
from tests.infrastructure.pipeline_samples import (
    NODE,
    ROOT,
    Backend,
    sample_definition,
    sample_wrangle_step,
    steps_by_name,
)
from tests.infrastructure.test_training_against_sdk import all_leaves, made_by_sdk, unexplained

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def steps() -> dict[str, dict[str, Any]]:
    return steps_by_name(sample_definition("open", wrangle=sample_wrangle_step()).render())


@pytest.mark.parametrize("backend", get_args(Backend))
def test_no_argument_is_wrong(backend: Backend) -> None:
    definition = sample_definition(backend, wrangle=sample_wrangle_step()).render()
    found = {name: argument_errors(step) for name, step in steps_by_name(definition).items()}
    assert {name: errors for name, errors in found.items() if errors} == {}
    assert definition["Steps"][0]["Name"] == "Wrangle"


@pytest.mark.parametrize("backend", get_args(Backend))
def test_a_flow_adds_one_step_and_one_input_and_nothing_else(backend: Backend) -> None:
    without = sample_definition(backend).render()
    with_flow = sample_definition(backend, wrangle=sample_wrangle_step()).render()
    before, after = steps_by_name(without), steps_by_name(with_flow)

    assert after.keys() - before.keys() == {"Wrangle"}
    assert [name for name in before if before[name] != after[name]] == ["Preprocess"]
    arguments = after["Preprocess"]["Arguments"]
    assert [given["InputName"] for given in arguments["ProcessingInputs"]] == ["dataset", "wrangled", "code", "wheels"]
    entrypoint = arguments["AppSpecification"]["ContainerEntrypoint"]
    assert entrypoint[entrypoint.index("--wrangled") + 1] == "/opt/ml/processing/input/wrangled"


def test_the_container_is_told_what_to_write_in_one_short_argument(steps: dict[str, dict[str, Any]]) -> None:
    [argument] = steps["Wrangle"]["Arguments"]["AppSpecification"]["ContainerArguments"]
    option, quoted = argument.split(" ", 1)
    assert option == "--output-config"
    assert json.loads(quoted.strip("'")) == {f"{NODE}.default": {"content_type": "PARQUET"}}
    assert len(argument) <= 256


def test_the_data_set_of_the_execution_takes_the_place_of_the_flows_source(steps: dict[str, dict[str, Any]]) -> None:
    flow, dataset = steps["Wrangle"]["Arguments"]["ProcessingInputs"]
    assert flow["S3Input"]["LocalPath"] == "/opt/ml/processing/flow"
    assert dataset["S3Input"]["S3Uri"] == {"Get": "Parameters.DatasetUri"}
    assert dataset["S3Input"]["LocalPath"] == "/opt/ml/processing/bank_churn"


def test_rows_of_an_attempt_that_failed_are_never_read(steps: dict[str, dict[str, Any]]) -> None:
    wrangled = steps["Preprocess"]["Arguments"]["ProcessingInputs"][1]
    output = f"Steps.Wrangle.ProcessingOutputConfig.Outputs['{NODE}.default'].S3Output.S3Uri"
    parts = [{"Get": output}, {"Get": "Steps.Wrangle.ProcessingJobName"}]
    assert wrangled["S3Input"]["S3Uri"] == {"Std:Join": {"On": "/", "Values": parts}}


def test_the_step_is_encrypted_private_retried_and_cached(steps: dict[str, dict[str, Any]]) -> None:
    step = steps["Wrangle"]
    arguments = step["Arguments"]
    assert arguments["NetworkConfig"]["VpcConfig"]["Subnets"] == ["subnet-aaaaaaaa", "subnet-bbbbbbbb"]
    assert arguments["NetworkConfig"]["EnableInterContainerTrafficEncryption"] is True
    assert arguments["ProcessingOutputConfig"]["KmsKeyId"]
    assert arguments["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"]
    assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P7D"}
    assert len(step["RetryPolicies"]) == 2


def test_both_steps_are_what_the_sdk_makes_of_them(steps: dict[str, dict[str, Any]]) -> None:
    sdk = all_leaves(made_by_sdk("sdk_wrangler.py"))
    ours = all_leaves({"Steps": [steps["Wrangle"], steps["Preprocess"]]})
    assert len(ours) > 60
    assert unexplained(ours, sdk) == []


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """The training stack of dev, for the sample model with the shipped flow; cdk-nag must find nothing."""
    folder = tmp_path_factory.mktemp("wrangled")
    content = yaml.safe_load((ROOT / "config" / "models" / "bank_churn.yaml").read_text())
    content["wrangler"] = {"flow": "bank_churn_cleaning.flow"}
    (folder / "bank_churn.yaml").write_text(yaml.safe_dump(content))
    context = {"environment": "dev", "models": str(folder)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CDK_VALIDATION", "false")
        build(context, outdir=str(folder / "out")).synth()
    [template] = (folder / "out").rglob("*BankChurnTraining*.template.json")
    found: Resources = json.loads(template.read_text())["Resources"]
    return found


def _statements(resources: Resources) -> list[dict[str, Any]]:
    policies = [body for name, body in resources.items() if body["Type"] == "AWS::IAM::Policy" and "JobRole" in name]
    return [statement for body in policies for statement in body["Properties"]["PolicyDocument"]["Statement"]]


def test_the_role_may_delete_only_what_a_flow_wrote_and_read_its_file(resources: Resources) -> None:
    deleting = [entry for entry in _statements(resources) if "s3:DeleteObject" in json.dumps(entry["Action"])]
    assert len(deleting) == 1 and deleting[0]["Effect"] == "Allow"
    assert "/bank_churn/*/wrangled/*" in json.dumps(deleting[0]["Resource"])
    assert ".flow" in json.dumps([entry["Resource"] for entry in _statements(resources)])


def test_the_role_may_pull_the_image(resources: Resources) -> None:
    pulling = [entry for entry in _statements(resources) if "ecr:BatchGetImage" in json.dumps(entry["Action"])]
    assert "sagemaker-data-wrangler-container" in json.dumps(pulling)


def test_the_deployed_pipeline_runs_the_flow(resources: Resources) -> None:
    [pipeline] = [body for body in resources.values() if body["Type"] == "AWS::SageMaker::Pipeline"]
    written = json.dumps(pipeline["Properties"]["PipelineDefinition"])
    assert "sagemaker-data-wrangler-container:3.x" in written
    assert "/opt/ml/processing/bank_churn" in written


def test_a_region_without_the_container_is_refused_with_a_way_out() -> None:
    from baton.training import pipeline

    lacking = next(region for region in REGIONS if images_in(region).data_wrangler is None)
    [model] = load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])
    wrangled = model.model_copy(update={"wrangler": {"flow": "bank_churn_cleaning.flow"}})

    class Platform:
        region = lacking

    with pytest.raises(ValueError, match=f"region {lacking} has no container of Data Wrangler; remove wrangler"):
        pipeline._wrangler_image(Platform(), wrangled, images_in(lacking))  # type: ignore[arg-type]
    assert pipeline._wrangler_image(Platform(), model, images_in(lacking)) is None  # type: ignore[arg-type]
