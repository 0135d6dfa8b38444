"""What an online explainer compares with: a record that is nobody's, which the version itself takes as a request."""

import csv
import json
import os
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from embedded.compute.explainer import Explainer
from embedded.compute.invocation import Request
from embedded.compute.model_server import Reply
from pipeline_scripts.model import Model
from pipeline_scripts.serving import inference
from pipeline_scripts.training.explainer_baseline import baseline_record, explained_inputs
from tests.runtime.churn import Trained


@pytest.fixture
def small(model: Model) -> Model:
    """The model with three inputs: text, a whole number, a number."""
    facets = {"country": ("Spain",)}
    return replace(model, features=("products", "balance"), facets=facets)


def rows(**columns: list[Any]) -> pd.DataFrame:
    frame = {"country": ["Spain", "France", "France"], "products": [1, 2, 4], "balance": [0.5, 10.0, 2.25], **columns}
    return pd.DataFrame(frame)


def test_each_input_has_its_middle_or_most_frequent_value(small: Model) -> None:
    assert baseline_record(rows(), small) == "2,2.25,France\n"


def test_a_middle_of_whole_numbers_is_one_of_them(small: Model) -> None:
    held = rows(products=[1, 2, pd.NA], balance=[1.0, float("nan"), 2.0])
    assert baseline_record(held.astype({"products": "Int64"}), small) == "1,1.0,France\n"


def test_what_nobody_has_is_left_to_the_model(small: Model) -> None:
    nothing = rows(country=[None] * 3, products=pd.array([pd.NA] * 3, dtype="Int64"))
    assert baseline_record(nothing, small) == ",2.25,\n"


def test_text_is_no_language(small: Model) -> None:
    assert explained_inputs(small) == {
        "names": ["products", "balance", "country"],
        "types": ["numerical", "numerical", "categorical"],
    }


def test_attributions_lead_from_the_baseline_s_answer_to_the_row_s(trained: Trained) -> None:
    """With the version's own files, as SageMaker would be given them."""
    evaluation = json.loads((trained.evidence / "evaluation" / "evaluation.json").read_text())
    baseline = (trained.evidence / "evaluation" / "shap_baseline.csv").read_text()
    served = inference.model_fn(os.fspath(trained.unpacked))

    def post(request: Request) -> tuple[Reply, None]:
        answer, kind = inference.transform_fn(served, request.body.decode(), "text/csv", "text/csv")
        return Reply(status=200, headers={"content-type": kind}, body=answer.encode(), latency_us=1), None

    config = {
        "InferenceConfig": {"FeatureHeaders": evaluation["explained_inputs"]["names"], "MaxRecordCount": 1000},
        "ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": baseline}},
    }
    explainer = Explainer.of({"ClarifyExplainerConfig": config}, client=lambda _: None)
    assert explainer is not None
    request = Request(body=evaluation["canary"]["request"].encode(), content_type="text/csv", accept="text/csv")
    content = json.loads(explainer.post(request, post)[0].body)
    [explained] = content["explanations"]["kernel_shap"]
    assert [entry["feature_header"] for entry in explained] == list(trained.model.inputs)
    given = {entry["feature_header"]: entry["attributions"][0]["attribution"][0] for entry in explained}
    typical = float(post(replace(request, body=baseline.encode()))[0].body)
    assert sum(given.values()) == pytest.approx(evaluation["canary"]["expected"] - typical, abs=1e-5)
    own, other = (next(csv.reader([text])) for text in (evaluation["canary"]["request"], baseline))
    same = [name for name, mine, its in zip(given, own, other, strict=True) if mine == its]
    assert same, "the canary shares a value with the typical record, so the next line says something"
    assert [given[name] for name in same] == pytest.approx([0.0] * len(same), abs=1e-5)
    facets_only = set(trained.model.inputs) - set(trained.model.features)
    assert [given[name] for name in facets_only] == pytest.approx([0.0] * len(facets_only), abs=1e-5)
