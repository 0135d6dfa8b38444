"""The endpoint answers as the model was trained, and refuses with a 4xx that names the field."""

import csv
import io
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.serving import inference
from pipeline_scripts.serving.answer import Prediction, read_accept, write
from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.inference import ServedModel
from tests.runtime.churn import Trained
from tests.runtime.malformed_requests import malformed


def answer(served: ServedModel, body: bytes | str, content_type: str, accept: str = "text/csv") -> str:
    content, kind = inference.transform_fn(served, body, content_type, accept)
    assert kind == accept
    return content


def probabilities(served: ServedModel, body: bytes | str, content_type: str) -> list[float]:
    return [float(line) for line in answer(served, body, content_type).splitlines()]


def rows(trained: Trained, count: int) -> pd.DataFrame:
    return trained.holdout().head(count)[list(trained.model.inputs)]


def as_csv(frame: pd.DataFrame, *, header: bool = False) -> str:
    return frame.to_csv(index=False, header=header)


def as_instances(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: None if pd.isna(value) else (value if isinstance(value, str) else float(value)) for name, value in row}
        for row in (series.items() for _, series in frame.iterrows())
    ]


def test_every_form_gets_the_answer_that_evaluation_gave(trained: Trained, served: ServedModel) -> None:
    frame = trained.holdout()
    expected = load_artifact(trained.artefact).answers(frame)
    inputs = frame[list(trained.model.inputs)]
    instances = as_instances(inputs)
    forms = [
        (as_csv(inputs), "text/csv"),
        (as_csv(inputs, header=True).encode(), "text/csv; charset=utf-8"),
        (json.dumps({"instances": instances}), "application/json"),
        ("\n".join(map(json.dumps, instances)), "application/jsonlines"),
    ]
    for body, content_type in forms:
        assert np.array_equal(np.float32(probabilities(served, body, content_type)), expected)


def test_predictions_in_place_equal_those_through_a_matrix(trained: Trained, served: ServedModel) -> None:
    matrix = served.transformer.encode(trained.holdout())
    data = xgboost.DMatrix(matrix, feature_names=list(served.transformer.columns))
    assert np.abs(served.estimator.booster.predict(data) - served.estimator.answers(matrix)).max() < 1e-6


def test_missing_values_get_the_answer_that_evaluation_gives(trained: Trained, served: ServedModel) -> None:
    frame = rows(trained, 9).copy()
    for place, name in enumerate(trained.model.features):
        frame.loc[place, name] = None
    expected = load_artifact(trained.artefact).answers(frame)
    assert np.array_equal(np.float32(probabilities(served, as_csv(frame), "text/csv")), expected)
    body = json.dumps({"instances": as_instances(frame)})
    assert np.array_equal(np.float32(probabilities(served, body, "application/json")), expected)


def test_canary_is_answered_as_recorded(trained: Trained, served: ServedModel) -> None:
    canary = json.loads((trained.evidence / "evaluation" / "evaluation.json").read_text())["canary"]
    assert probabilities(served, canary["request"], "text/csv") == [canary["expected"]]


def test_json_answer_carries_probability_and_label(served: ServedModel) -> None:
    prediction = Prediction(answers=np.array([0.25, 0.5, 0.75], dtype=np.float32), threshold=0.5)
    content = json.loads(write(prediction, read_accept("application/json")))
    assert content == {
        "predictions": [
            {"probability": 0.25, "label": 0},
            {"probability": 0.5, "label": 1},
            {"probability": 0.75, "label": 1},
        ]
    }
    lines = write(prediction, read_accept("application/jsonlines")).splitlines()
    assert json.loads(lines[0]) == content["predictions"][0]


@pytest.mark.parametrize("accept", [None, "*/*", "text/csv", "image/png, text/csv;q=0.5"])
def test_csv_is_answered_whenever_it_will_do(accept: str | None) -> None:
    prediction = Prediction(answers=np.array([0.1], dtype=np.float32), threshold=0.5)
    assert write(prediction, read_accept(accept)) == "0.100000001\n"


def test_unseen_category_counts_as_unknown(trained: Trained, served: ServedModel) -> None:
    frame = rows(trained, 1)
    unseen, missing = as_csv(frame.assign(country="Narnia")), as_csv(frame.assign(country=None))
    assert probabilities(served, unseen, "text/csv") == probabilities(served, missing, "text/csv")


def fields(trained: Trained, **changes: str) -> str:
    [row] = csv.DictReader(io.StringIO(as_csv(rows(trained, 1), header=True)))
    return ",".join({**row, **changes}.values())


def instance(trained: Trained, **changes: Any) -> str:
    return json.dumps({"instances": [{**as_instances(rows(trained, 1))[0], **changes}]})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"balance": "a lot"}, "'balance' must be a finite number, got 'a lot'"),
        ({"balance": "NaN"}, "'balance' must be a finite number"),
        ({"balance": "inf"}, "'balance' must be a finite number"),
        ({"balance": "1_000"}, "'balance' must be a finite number"),
        ({"products": "1.5"}, "'products' must be a whole number, got '1.5'"),
        ({"balance": "1,2"}, "fields, the model takes 10"),
    ],
)
def test_csv_with_a_wrong_field_is_refused(
    trained: Trained, served: ServedModel, changes: dict[str, str], complaint: str
) -> None:
    with pytest.raises(RequestError, match=complaint) as refusal:
        answer(served, fields(trained, **changes), "text/csv")
    assert refusal.value.status_code == 400


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"balance": "5"}, None),
        ({"balance": True}, "'balance' must be a finite number, got True"),
        ({"balance": [1]}, r"'balance' must be a finite number, got \[1\]"),
        ({"balance": 10**400}, "'balance' must be a finite number"),
        ({"country": 3}, "'country' must be text, got 3"),
        ({"shoe_size": 44}, "'shoe_size' is not an input"),
    ],
)
def test_json_with_a_wrong_field_is_refused(
    trained: Trained, served: ServedModel, changes: dict[str, Any], complaint: str | None
) -> None:
    if complaint is None:
        assert answer(served, instance(trained, **changes), "application/json")
        return
    with pytest.raises(RequestError, match=complaint):
        answer(served, instance(trained, **changes), "application/json")


@pytest.mark.parametrize(
    ("body", "content_type", "complaint", "status"),
    [
        ("", "text/csv", "no rows", 400),
        ("\n\n", "text/csv", "no rows", 400),
        (b"\xff\xfe", "text/csv", "not UTF-8", 400),
        ("1,2", "text/csv", "row 1 has 2 fields, the model takes 10: country, age_group", 400),
        ("{", "application/json", "the body is not JSON", 400),
        ("[" * 100_000, "application/json", "the body is not JSON", 400),
        ('{"rows": []}', "application/json", '"instances"', 400),
        ('{"instances": []}', "application/json", "no rows", 400),
        ('{"instances": [3]}', "application/json", "row 1 must be an object", 400),
        ('{"instances": [{}]}', "application/json", "'country' is missing", 400),
        ('{"instances": [NaN]}', "application/json", "holds NaN", 400),
        ('{"country": "Spain"}\n{', "application/jsonlines", "is missing|line 2", 400),
        ("x", "application/x-parquet", "content type 'application/x-parquet'", 415),
    ],
)
def test_unreadable_requests_are_refused(
    served: ServedModel, body: bytes | str, content_type: str, complaint: str, status: int
) -> None:
    with pytest.raises(RequestError, match=complaint) as refusal:
        answer(served, body, content_type)
    assert refusal.value.status_code == status
    assert isinstance(refusal.value, ValueError)


def test_no_malformed_request_is_answered_or_breaks_the_handler(trained: Trained, served: ServedModel) -> None:
    draw = random.Random(5)
    frame = rows(trained, 20)
    right = frame.astype(object).where(frame.notna(), None).to_dict("records")
    numbers = [item.name for item in served.signature.inputs if item.type != "string"]
    for _ in range(400):
        request = malformed(draw, rows=right, numbers=numbers)
        with pytest.raises(RequestError) as refusal:
            answer(served, request.body, request.content_type)
        assert request.field is None or request.field in str(refusal.value), request


def test_unacceptable_answer_is_refused() -> None:
    with pytest.raises(RequestError, match="accept 'image/png'") as refusal:
        read_accept("image/png")
    assert refusal.value.status_code == 406


TOOLKIT = """
import sys, types
class BaseInferenceToolkitError(Exception): pass
errors = types.ModuleType("sagemaker_inference.errors")
errors.BaseInferenceToolkitError = BaseInferenceToolkitError
sys.modules["sagemaker_inference"] = types.ModuleType("sagemaker_inference")
sys.modules["sagemaker_inference.errors"] = errors
from pipeline_scripts.serving.errors import RequestError
error = RequestError("row 1 is wrong", status_code=415)
assert isinstance(error, BaseInferenceToolkitError) and isinstance(error, ValueError)
assert (error.status_code, error.message, error.phrase, str(error)) == (
    415, "row 1 is wrong", "Unsupported Media Type", "row 1 is wrong")
"""


def test_refusal_is_an_error_of_the_containers_toolkit_where_it_is_installed() -> None:
    subprocess.run([sys.executable, "-c", TOOLKIT], check=True)


ARTEFACT_ALONE = """
import json, sys
import inference
model = inference.model_fn(sys.argv[1])
canary = json.loads(sys.argv[2])
answer, _ = inference.transform_fn(model, canary["request"], "text/csv", "text/csv")
assert float(answer) == canary["expected"], answer
loaded = {name: module.__file__ for name, module in sys.modules.items() if name.startswith("pipeline_scripts")}
assert all(path.startswith(sys.argv[1]) for path in loaded.values()), loaded
assert "duckdb" not in sys.modules
"""


def test_artefact_serves_itself_without_this_repository(trained: Trained) -> None:
    canary = json.dumps(json.loads((trained.evidence / "evaluation" / "evaluation.json").read_text())["canary"])
    code = trained.unpacked / "code"
    subprocess.run(
        [sys.executable, "-c", ARTEFACT_ALONE, str(trained.unpacked), canary],
        check=True,
        cwd=code,
        env={"SAGEMAKER_SUBMIT_DIRECTORY": str(code), "PYTHONDONTWRITEBYTECODE": "1", "PATH": str(Path("/usr/bin"))},
    )
