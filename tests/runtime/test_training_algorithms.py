"""The algorithm, its calibration and its threshold are choices of the YAML, and every step copes with each."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from baton.specification.model import ModelSpecification
from pipeline_scripts.analysis import classification
from pipeline_scripts.analysis.artifact import Artifact, load_artifact
from pipeline_scripts.analysis.attribution import attributions
from pipeline_scripts.analysis.frames import labels
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.serving import inference
from pipeline_scripts.serving.calibration import Calibration
from pipeline_scripts.serving.estimator import Logistic, read_estimator
from pipeline_scripts.training import train
from pipeline_scripts.training.calibrate import fit_calibration
from pipeline_scripts.training.linear import fit_logistic
from tests.runtime.churn import Trained, train_on

COSTS = {"false_positive": 1.0, "false_negative": 3.0}


def changed(specification: dict[str, Any], **training: Any) -> dict[str, Any]:
    serving = {name: value for name, value in specification["serving"].items() if name != "threshold"}
    return {**specification, "training": {**specification["training"], **training}, "serving": serving}


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory, specification: dict[str, Any]) -> Trained:
    """The same customers, learnt by logistic regression, with a threshold that costs decide."""
    chosen = changed(
        specification,
        algorithm="logistic_regression",
        hyperparameters={"C": 0.5},
        calibration="isotonic",
        costs=COSTS,
    )
    content = ModelSpecification.model_validate(chosen).model_dump(mode="json")
    return train_on(tmp_path_factory.mktemp("linear"), content)


@pytest.fixture(scope="module")
def artifact(linear: Trained) -> Artifact:
    return load_artifact(linear.artefact)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_step_runs_with_the_other_algorithm(linear: Trained, artifact: Artifact) -> None:
    gate = read(linear.evidence / "gate" / "gate.json")
    assert isinstance(artifact.estimator, Logistic)
    assert gate["artifact_sha256"] == artifact.sha256
    assert next(check for check in gate["checks"] if check["name"] == "artifact")["passed"]


def test_coefficients_in_their_own_units_answer_as_scikit_learn_does(linear: Trained, artifact: Artifact) -> None:
    rows = pd.read_parquet(linear.root / "input" / "data" / "train" / "train.parquet")
    matrix = artifact.transformer.encode(rows).astype(np.float64)
    scaled = StandardScaler().fit(matrix)
    fitted = LogisticRegression(C=0.5, max_iter=1_000).fit(scaled.transform(matrix), labels(rows, linear.model))
    held_out = artifact.transformer.encode(linear.holdout())
    expected = fitted.predict_proba(scaled.transform(held_out.astype(np.float64)))[:, 1]
    assert np.abs(artifact.estimator.answers(held_out) - expected).max() < 1e-6


def test_endpoint_answers_as_the_evaluation_did(linear: Trained) -> None:
    served = inference.model_fn(str(linear.unpacked))
    canary = read(linear.evidence / "evaluation" / "evaluation.json")["canary"]
    answer, _ = inference.transform_fn(served, canary["request"], "text/csv", "text/csv")
    assert float(answer) == canary["expected"]


def test_two_trainings_of_it_leave_the_same_bytes(
    linear: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_MODEL_JSON", str(linear.root / "model-spec.json"))
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "input").symlink_to(linear.root / "input")
    assert train.main([]) == 0
    for name in ("model.json", "calibration.json", "signature.json"):
        assert (tmp_path / "model" / name).read_bytes() == (linear.unpacked / name).read_bytes()


def test_attributions_of_a_linear_model_equal_shaps_own(linear: Trained, artifact: Artifact) -> None:
    estimator, rows = artifact.estimator, linear.holdout()
    assert isinstance(estimator, Logistic)
    values, expected = attributions(artifact, rows)
    matrix = artifact.transformer.encode(rows)
    assert np.abs(values.sum(axis=1) + expected - estimator.margins(matrix)).max() < 1e-9
    background = np.asarray(estimator.means).reshape(1, -1)
    explainer = shap.LinearExplainer((np.asarray(estimator.coefficients), estimator.intercept), background)
    summed = np.zeros_like(values)
    for column, feature in enumerate(artifact.transformer.owners):
        summed[:, feature] += explainer.shap_values(matrix.astype(np.float64))[:, column]
    assert np.abs(values - summed).max() < 1e-6
    analysis = read(linear.evidence / "explainability" / "analysis.json")
    assert analysis["method"]["name"] == "linear_shap"


def test_a_logistic_model_is_sure_without_overflow() -> None:
    model = Logistic(coefficients=(1.0,), intercept=0.0, means=(0.0,))
    with np.errstate(all="raise", under="ignore"):
        answers = model.answers(np.array([[-2_000.0], [0.0], [2_000.0]], dtype=np.float32))
    assert answers.tolist() == [0.0, 0.5, 1.0]


def test_refused_hyperparameters_name_scikit_learns_reason(linear: Trained, artifact: Artifact) -> None:
    rows = linear.holdout()
    with pytest.raises(JobError, match=r"scikit-learn refuses the hyperparameters of the model: .*'C'"):
        fit_logistic(
            rows,
            rows,
            transformer=artifact.transformer,
            model=linear.model,
            hyperparameters={"C": -1.0},
            checkpoints=Path(),
        )


def test_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="'forest' is not one of xgboost, logistic_regression"):
        read_estimator("forest", b"{}")


def overconfident(rows: int = 20_000) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Answers twice as far out, in log-odds, as what comes true."""
    draw = np.random.default_rng(3)
    odds = draw.normal(-1, 1.2, rows)
    truth = (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return (1 / (1 + np.exp(-2 * odds))).astype(np.float32), truth


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration_makes_promises_come_true(method: str) -> None:
    answers, truth = overconfident()
    calibration = fit_calibration(method, answers[:10_000], truth[:10_000])
    mended = calibration.apply(answers[10_000:])
    before = classification.calibration_error(classification.calibration(truth[10_000:], answers[10_000:]))
    after = classification.calibration_error(classification.calibration(truth[10_000:], mended))
    assert before > 0.05
    assert after < 0.02
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


def test_platts_line_is_found_again() -> None:
    answers, truth = overconfident()
    assert fit_calibration("sigmoid", answers, truth).slope == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("method", ["none", "sigmoid", "isotonic"])
def test_calibration_keeps_the_order_of_answers(method: str) -> None:
    answers, truth = overconfident(2_000)
    ordered = fit_calibration(method, answers, truth).apply(np.sort(answers))
    assert (np.diff(ordered) >= 0).all()
    assert 0 <= ordered.min() <= ordered.max() <= 1


def test_answers_against_the_labels_are_not_calibrated() -> None:
    answers, truth = overconfident(2_000)
    with pytest.raises(JobError, match="run against the labels"):
        fit_calibration("sigmoid", 1 - answers, truth)


def test_costs_decide_the_threshold(linear: Trained, artifact: Artifact, model: Model) -> None:
    assert artifact.signature.threshold == 0.25
    assert linear.model.settings["serving"]["threshold"] == 0.25
    assert model.settings["serving"]["threshold"] == 0.5


def test_cost_is_what_a_person_would_count(linear: Trained) -> None:
    evaluation = read(linear.evidence / "evaluation" / "evaluation.json")
    wrong = evaluation["confusion_matrix"]
    paid = wrong["0"]["1"] * COSTS["false_positive"] + wrong["1"]["0"] * COSTS["false_negative"]
    assert evaluation["cost"]["per_row"] == pytest.approx(paid / evaluation["rows"])
    assert evaluation["cost"]["best_per_row"] <= evaluation["cost"]["per_row"]
    assert evaluation["cost"]["best_per_row"] > 0.8 * evaluation["cost"]["per_row"]


def test_threshold_of_costs_is_best_on_calibrated_probabilities() -> None:
    answers, truth = overconfident()
    calibrated = fit_calibration("isotonic", answers, truth).apply(answers)
    found = classification.expected_cost(truth, calibrated, 0.25, COSTS)
    assert found["per_row"] == pytest.approx(found["best_per_row"], rel=0.01)


def test_costs_without_calibration_are_refused(specification: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="set calibration to sigmoid or isotonic"):
        ModelSpecification.model_validate(changed(specification, costs=COSTS, calibration="none"))


def test_a_threshold_beside_costs_is_refused(specification: dict[str, Any]) -> None:
    chosen = changed(specification, costs=COSTS, calibration="sigmoid")
    twice = {**chosen, "serving": {**chosen["serving"], "threshold": 0.4}}
    with pytest.raises(ValidationError, match=r"training.costs make it 0.25, so remove 0.4 or the costs"):
        ModelSpecification.model_validate(twice)
