"""What Clarify is asked is valid by its own schema and follows from the model alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
import schema
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from sagemaker.core.clarify import ANALYSIS_CONFIG_SCHEMA_V1_0

from baton.clarify import questions
from baton.clarify.configuration import ClarifyConfiguration
from baton.specification.model import ModelSpecification
from tests.infrastructure.pipeline_samples import sample_model

BEFORE_DEPLOYMENT = [questions.data_bias_question, questions.model_bias_question, questions.explainability_question]
MONITORS = [questions.bias_monitor_question, questions.explainability_monitor_question]
Question = Callable[[ModelSpecification], dict[str, Any]]


@pytest.mark.parametrize("question", BEFORE_DEPLOYMENT)
def test_a_question_is_valid(question: Question) -> None:
    ANALYSIS_CONFIG_SCHEMA_V1_0.validate(question(sample_model()))


@pytest.mark.parametrize("question", MONITORS)
def test_a_monitors_question_is_valid_once_the_monitor_adds_its_data(question: Question) -> None:
    """The monitor's container adds what it knows: the type of the data, and for bias the methods."""
    added = {"dataset_type": "application/sagemakercapturejson", "methods": {"post_training_bias": {"methods": "all"}}}
    ANALYSIS_CONFIG_SCHEMA_V1_0.validate({**added, **question(sample_model())})


@pytest.mark.parametrize(
    "fault",
    [{"methods": {"shap": {"agg_method": "best"}}}, {"dataset_type": "text/tsv"}, {"probability_threshold": "0.5"}],
)
def test_a_wrong_question_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(schema.SchemaError):
        ANALYSIS_CONFIG_SCHEMA_V1_0.validate({**questions.explainability_question(sample_model()), **fault})


def test_every_facet_and_the_label_are_asked_about() -> None:
    model = sample_model()
    question = questions.data_bias_question(model)

    assert question["label"] == model.target.column
    assert question["label_values_or_threshold"] == [model.target.positive]
    assert {facet["name_or_index"]: tuple(facet["value_or_threshold"]) for facet in question["facet"]} == model.facets


def test_the_conditional_disparity_is_asked_for_as_the_model_says() -> None:
    condition = {"condition_on": "country"}
    model = sample_model().model_copy(update={"fairness": sample_model().fairness.model_copy(update=condition)})
    asked = [questions.data_bias_question, questions.model_bias_question, questions.bias_monitor_question]

    assert {question(model)["group_variable"] for question in asked} == {"country"}
    ANALYSIS_CONFIG_SCHEMA_V1_0.validate(questions.model_bias_question(model))


def test_the_dependence_on_every_feature_is_asked_for() -> None:
    model = sample_model()

    assert questions.explainability_question(model)["methods"]["pdp"]["features"] == list(model.features)


def test_a_request_carries_features_then_the_other_facets() -> None:
    assert questions.inputs_of(sample_model()) == [*sample_model().features, "gender"]


def test_headers_are_named_only_where_the_data_has_none() -> None:
    """A dataset with a header and `headers` in the question: Clarify would take the header for a row."""
    model = sample_model()

    assert all("headers" not in question(model) for question in BEFORE_DEPLOYMENT)
    assert questions.bias_monitor_question(model)["headers"] == ["churned", *questions.inputs_of(model)]
    assert questions.explainability_monitor_question(model)["headers"] == questions.inputs_of(model)


def test_a_configuration_lies_in_s3_by_its_content(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Stack")
    first = ClarifyConfiguration(stack, "First", question={"label": "a"})
    same = ClarifyConfiguration(stack, "Same", question={"label": "a"})
    other = ClarifyConfiguration(stack, "Other", question={"label": "b"})
    app.synth()

    assert stack.resolve(first.s3_uri) == stack.resolve(same.s3_uri) != stack.resolve(other.s3_uri)
    written = [json.loads(file.read_text()) for file in tmp_path.glob("asset.*.json")]
    assert sorted(content["label"] for content in written) == ["a", "b"]


def test_a_reader_may_read_one_configuration_and_nothing_else() -> None:
    stack = cdk.Stack()
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    ClarifyConfiguration(stack, "Question", question={"label": "a"}).grant_read(role)

    (policy,) = assertions.Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:GetObject"
    assert "*" not in json.dumps(statement["Resource"])
