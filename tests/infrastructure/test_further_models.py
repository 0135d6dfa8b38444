"""The models under examples deploy as they are: every stack, without a finding, asking what their problem allows."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sagemaker.core.clarify import ANALYSIS_CONFIG_SCHEMA_V1_0

from baton.clarify import questions
from baton.specification.model import ModelSpecification
from stacks.settings import load_models
from tests.conftest import NODE, Assembly, read_assembly

EXAMPLES = Path(__file__).parents[2] / "examples"
STATIONS = ("ingestion", "training", "automation", "monitoring", "serving", "approval", "dashboard")


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembly]:
    """The examples in staging, whose analyses are the managed ones. A finding of cdk-nag makes the synthesis fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{NODE}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CDK_VALIDATION", "false")
        from app import build

        folder = tmp_path_factory.mktemp("examples")
        build({"environment": "staging", "models": "examples"}, outdir=str(folder)).synth()
        yield read_assembly(folder)


def example(name: str) -> ModelSpecification:
    [model] = load_models([EXAMPLES / f"{name}.yaml"], [])
    return model


def definition(assembly: Assembly, model: str, kind: str) -> dict[str, Any]:
    resources = assembly.stack("staging", f"{model}-serving")["Resources"].values()
    [found] = [item["Properties"] for item in resources if item["Type"] == f"AWS::SageMaker::{kind}JobDefinition"]
    properties: dict[str, Any] = found
    return properties


@pytest.mark.parametrize("model", ["diabetes-progression", "german-credit"])
def test_a_file_becomes_every_station(assembly: Assembly, model: str) -> None:
    for station in STATIONS:
        assert assembly.stack("staging", f"{model}-{station}")["Resources"]


def test_model_monitor_reads_a_number_or_a_probability(assembly: Assembly) -> None:
    number = definition(assembly, "diabetes-progression", "ModelQuality")
    assert number["ModelQualityAppSpecification"]["ProblemType"] == "Regression"
    asked = number["ModelQualityJobInput"]["EndpointInput"]
    assert asked["InferenceAttribute"] == "0"
    assert not {"ProbabilityAttribute", "ProbabilityThresholdAttribute"} & asked.keys()
    credit = definition(assembly, "german-credit", "ModelQuality")
    assert credit["ModelQualityAppSpecification"]["ProblemType"] == "BinaryClassification"
    assert credit["ModelQualityJobInput"]["EndpointInput"]["ProbabilityThresholdAttribute"] == 0.833333


def test_the_bias_monitor_reads_the_same_column(assembly: Assembly) -> None:
    asked = definition(assembly, "diabetes-progression", "ModelBias")["ModelBiasJobInput"]["EndpointInput"]
    assert asked["InferenceAttribute"] == "0" and "ProbabilityAttribute" not in asked


@pytest.mark.parametrize(("name", "favourable"), [("diabetes_progression", [140.0]), ("german_credit", ["good"])])
def test_clarify_is_told_what_is_favourable(name: str, favourable: list[Any]) -> None:
    model = example(name)
    for ask in (questions.data_bias_question, questions.model_bias_question, questions.bias_monitor_question):
        assert ask(model)["label_values_or_threshold"] == favourable
    question = questions.model_bias_question(model)
    ANALYSIS_CONFIG_SCHEMA_V1_0.validate(question)
    ANALYSIS_CONFIG_SCHEMA_V1_0.validate(questions.explainability_question(model))
    assert ("probability_threshold" in question) is (model.problem == "binary_classification")
