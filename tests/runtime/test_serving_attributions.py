"""A caller may ask why: each row's largest attributions, which are those of the analysis and add up to the margin."""

import json
from typing import Any

import numpy as np
import pytest

from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.attribution import attributions
from pipeline_scripts.serving import inference
from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.inference import ServedModel
from tests.runtime.churn import Trained

ROWS = 30


def asked(served: ServedModel, trained: Trained, accept: str) -> list[dict[str, Any]]:
    body = trained.holdout().head(ROWS)[list(trained.model.inputs)].to_csv(index=False, header=False)
    content, kind = inference.transform_fn(served, body, "text/csv", accept)
    assert kind == accept.partition(";")[0]
    if kind == "application/json":
        return list(json.loads(content)["predictions"])
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize("kind", ["application/json", "application/jsonlines"])
def test_they_are_those_of_the_analysis(served: ServedModel, trained: Trained, kind: str) -> None:
    rows = trained.holdout().head(ROWS)
    values, base = attributions(load_artifact(trained.artefact), rows)
    answers = asked(served, trained, f"{kind}; attributions=3")
    for answer, expected in zip(answers, values, strict=True):
        named = dict(zip(trained.model.features, expected, strict=True))
        largest = sorted(named, key=lambda name: -abs(named[name]))[:3]
        assert list(answer["attributions"]) == largest
        assert list(answer["attributions"].values()) == pytest.approx([named[name] for name in largest], abs=1e-6)
        assert answer["base"] == pytest.approx(base, abs=1e-6)


def test_they_add_up_to_the_margin(served: ServedModel, trained: Trained) -> None:
    matrix = served.transformer.encode(trained.holdout().head(ROWS))
    margins = served.estimator.booster.inplace_predict(matrix, predict_type="margin")
    for most in (1, 3, len(trained.model.features)):
        answers = asked(served, trained, f"application/json; attributions={most}")
        sums = [sum(row["attributions"].values()) + row["others"] + row["base"] for row in answers]
        assert sums == pytest.approx(margins.tolist(), abs=1e-4)
        assert all(len(row["attributions"]) == most for row in answers)
        assert most < len(trained.model.features) or all(row["others"] == 0 for row in answers)
    assert np.abs(margins).max() > 0.5


def test_the_answer_itself_is_the_one_without_them(served: ServedModel, trained: Trained) -> None:
    plain = asked(served, trained, "application/json")
    explained = asked(served, trained, "application/json; attributions=2")
    assert [{name: row[name] for name in ("probability", "label")} for row in explained] == plain
    assert "attributions" not in plain[0]


@pytest.mark.parametrize(
    ("accept", "complaint"),
    [
        ("text/csv; attributions=3", "given as application/json or application/jsonlines"),
        ("application/json; attributions=0", "attributions=0 is no number of features"),
        ("application/json; attributions=many", "attributions=many is no number"),
        ("application/json; attributions=-1", "attributions=-1 is no number"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(
    served: ServedModel, trained: Trained, accept: str, complaint: str
) -> None:
    with pytest.raises(RequestError, match=complaint) as refusal:
        asked(served, trained, accept)
    assert refusal.value.status_code == 406
