"""A second and a third model are a YAML file each: other tables, targets and facets, through the same entry points."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn import metrics
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from baton.specification.model import ModelSpecification
from pipeline_scripts.analysis import regression
from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.attribution import attributions
from pipeline_scripts.analysis.capture import labelled, read_labels
from pipeline_scripts.analysis.frames import read_frames
from pipeline_scripts.analysis.redrawn import intervals
from pipeline_scripts.model import Model, parse_model
from pipeline_scripts.monitoring import bias, data_quality, explainability, model_quality
from pipeline_scripts.serving import inference
from pipeline_scripts.training import evidence
from stacks.settings import load_models
from tests.runtime.churn import Trained, train_on
from tests.runtime.public_tables import applications, curated, patients
from tests.runtime.test_training_bundle import MANIFEST, ORIGIN
from tests.runtime.traffic import ask, captured, line, looked_at, truths, write_lines

EXAMPLES = Path(__file__).parents[2] / "examples"
BOOSTED = {
    "algorithm": "xgboost",
    "hyperparameters": {"num_round": 200, "max_depth": 3, "eta": 0.05, "subsample": 0.8, "min_child_weight": 5},
}
ROWS: dict[str, Callable[[], pd.DataFrame]] = {"diabetes_progression": patients, "german_credit": applications}
CASES = [(name, algorithm) for name in ROWS for algorithm in ("as_written", "xgboost")]


@pytest.fixture(scope="module", params=CASES, ids=["-".join(case) for case in CASES])
def learnt(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Each model by the algorithm of its file and by boosted trees: every step from data set to gate."""
    name, algorithm = request.param
    return _learnt(tmp_path_factory.mktemp(name), name, {} if algorithm == "as_written" else BOOSTED)


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return _learnt(tmp_path_factory.mktemp("diabetes"), "diabetes_progression", {})


def _learnt(folder: Path, name: str, training: dict[str, Any]) -> Trained:
    specification = specified(name, **training)
    return train_on(folder, specification, curated=curated(ROWS[name](), specification))


def specified(name: str, **training: Any) -> dict[str, Any]:
    [model] = load_models([EXAMPLES / f"{name}.yaml"], [])
    content = model.model_dump(mode="json")
    content["training"] |= training
    return ModelSpecification.model_validate(content).model_dump(mode="json")


def read(trained: Trained, name: str) -> Any:
    return json.loads((trained.evidence / name).read_text(encoding="utf-8"))


def test_it_passes_the_gate_with_the_quality_of_its_problem(learnt: Trained) -> None:
    decision = read(learnt, "gate/gate.json")
    metric = "r2" if learnt.model.regression else "auc"
    assert decision["passed"] == 1, decision["reasons"]
    assert decision["quality"] == {"metric": metric, "value": read(learnt, "evaluation/evaluation.json")[metric]}
    assert {check["name"] for check in decision["checks"]} >= (
        {"r2", "rmse"} if learnt.model.regression else {"auc"}
    ) | {f"DPPL.{facet}={value}" for facet, values in learnt.model.facets.items() for value in values}


def test_it_is_bundled_for_the_signature(learnt: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_MODEL_JSON", str(learnt.root / "model-spec.json"))
    for name, value in ORIGIN.items():
        monkeypatch.setenv(f"BATON_ORIGIN_{name}", value)
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest" / "_manifest.json").write_text(json.dumps(MANIFEST))
    folders = {"evidence": learnt.evidence, "model": learnt.artefact, "manifest": tmp_path / "manifest"}
    arguments = [text for name, folder in folders.items() for text in (f"--{name}", str(folder))]
    assert evidence.main([*arguments, "--output", str(tmp_path / "bundle")]) == 0
    bundle = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    assert bundle["model"] == learnt.model.name
    assert (
        bundle["metrics"].items()
        >= {
            read(learnt, "gate/gate.json")["quality"]["metric"]: read(learnt, "gate/gate.json")["quality"]["value"]
        }.items()
    )


def test_it_serves_the_canary_s_answer_from_its_own_folder(learnt: Trained) -> None:
    canary = read(learnt, "evaluation/evaluation.json")["canary"]
    served = inference.model_fn(os.fspath(learnt.unpacked))
    as_csv, _ = inference.transform_fn(served, canary["request"], "text/csv", "text/csv")
    assert float(as_csv) == canary["expected"]
    as_json, _ = inference.transform_fn(served, canary["request"], "text/csv", "application/json")
    [answer] = json.loads(as_json)["predictions"]
    if learnt.model.regression:
        assert answer == {"value": canary["expected"]}
    else:
        threshold = learnt.model.settings["serving"]["threshold"]
        assert answer == {"probability": canary["expected"], "label": int(canary["expected"] >= threshold)}


def test_groups_are_compared_by_the_favourable_outcome(learnt: Trained) -> None:
    model, holdout = learnt.model, learnt.holdout()
    answers = load_artifact(learnt.artefact).answers(holdout)
    bound = model.favourable_above if model.regression else model.settings["serving"]["threshold"]
    favoured = answers > bound if model.regression else answers >= bound
    for facet, values in model.facets.items():
        inside = holdout[facet].astype(str) == str(values[0])
        [report, *_] = read(learnt, "bias/analysis.json")["post_training_bias_metrics"]["facets"][facet]
        found = {metric["name"]: metric["value"] for metric in report["metrics"]}
        assert found["DPPL"] == pytest.approx(favoured[~inside].mean() - favoured[inside].mean())


def test_attributions_are_in_the_unit_in_which_they_add_up(learnt: Trained) -> None:
    artifact, rows = load_artifact(learnt.artefact), learnt.holdout()
    values, expected = attributions(artifact, rows)
    margins, answers = values.sum(axis=1) + expected, artifact.answers(rows)
    unit = read(learnt, "explainability/analysis.json")["method"]["unit"]
    if learnt.model.regression:
        assert unit == "target" and margins == pytest.approx(answers, rel=1e-4)
    else:
        odds = artifact.calibration.slope * margins + artifact.calibration.offset
        assert unit == "log-odds" and 1 / (1 + np.exp(-odds)) == pytest.approx(answers, abs=1e-4)


def test_quiet_traffic_keeps_every_monitor_quiet(learnt: Trained, tmp_path: Path) -> None:
    lines, labels = traffic(learnt)
    for monitor in (data_quality, model_quality, bias, explainability):
        report = looked_at(monitor.look, tmp_path / monitor.__name__, learnt, lines=lines, labels=labels)
        assert report.violations == []


def traffic(trained: Trained, *, added: float = 0.0) -> tuple[list[Any], list[Any]]:
    """The hold-out as requests, and its outcomes, larger by `added` than they were."""
    frame = trained.holdout().assign(row=range(len(trained.holdout())))
    served = inference.model_fn(os.fspath(trained.unpacked))
    known = frame.assign(**{trained.model.target: frame[trained.model.target] + added}) if added else frame
    keyed = frame.rename(columns={"row": next(c.output for c in trained.model.columns if c.treatment == "surrogate")})
    return ask(served, keyed, trained.model), truths(known, key="row", target=trained.model.target)


def test_larger_errors_of_a_regression_are_a_violation(diabetes: Trained, tmp_path: Path) -> None:
    lines, labels = traffic(diabetes, added=80.0)
    report = looked_at(model_quality.look, tmp_path, diabetes, lines=lines, labels=labels)
    assert {violation["metric_name"] for violation in report.violations} == {"rmse", "mae"}
    assert {violation["constraint_check_type"] for violation in report.violations} == {"GreaterThanThreshold"}
    assert {"r2", "rmse", "mae", "mse"} <= {name for name, _, _ in report.metrics}


def test_numbers_are_read_from_answers_and_outcomes(tmp_path: Path) -> None:
    model = parse_model(specified("diabetes_progression"))
    row = "40-49,1,25.5,90.0,180.0,110.0,50.0,4.0,4.5,90.0"
    lines = [
        line(row, "151.25", event="e1"),
        line(row, json.dumps({"predictions": [{"value": 97.5}]}), event="e2", encoding="JSON"),
        line(row, "80.0", event="e3"),
    ]
    lines[1]["captureData"]["endpointInput"] = lines[0]["captureData"]["endpointInput"]
    truth = [
        {"groundTruthData": {"data": text, "encoding": "CSV"}, "eventMetadata": {"eventId": event}}
        for event, text in (("e1", "140"), ("e2", "1.1e2"), ("e3", "nan"), ("e4", "many"))
    ]
    labels = read_labels(write_lines(tmp_path / "truth", truth), model)
    _, outcomes, answers = labelled(captured(lines, tmp_path, model), labels)
    assert (outcomes.tolist(), answers.tolist()) == ([140.0, 110.0], [151.25, 97.5])


def test_the_evaluation_is_that_of_scikit_learn(diabetes: Trained) -> None:
    rows, found = diabetes.holdout(), read(diabetes, "evaluation/evaluation.json")
    answers, actual = load_artifact(diabetes.artefact).answers(rows), rows["progression"]
    assert found["r2"] == pytest.approx(metrics.r2_score(actual, answers))
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(actual, answers))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(actual, answers))
    for name, interval in found["intervals"].items():
        assert interval["low"] < found[name] < interval["high"]
    assert sum(entry["rows"] for entry in found["tenths"]) == len(rows) == found["rows"]


def test_constraints_are_the_baseline_s_errors_and_what_is_tolerated(diabetes: Trained) -> None:
    statistics, constraints = (read(diabetes, f"model_quality/{name}.json") for name in ("statistics", "constraints"))
    rmse = statistics["regression_metrics"]["rmse"]["value"]
    assert constraints["regression_constraints"]["rmse"] == {
        "threshold": pytest.approx(rmse * 1.25),
        "comparison_operator": "GreaterThanThreshold",
    }


def test_the_linear_model_is_scikit_learns_in_the_columns_own_units(diabetes: Trained) -> None:
    artifact = load_artifact(diabetes.artefact)
    rows = read_frames(diabetes.root / "input" / "data" / "train")
    matrix = artifact.transformer.encode(rows).astype(np.float64)
    scaled = StandardScaler().fit(matrix)
    fitted = Ridge(alpha=1.0).fit(scaled.transform(matrix), rows["progression"])
    held_out = artifact.transformer.encode(diabetes.holdout())
    expected = fitted.predict(scaled.transform(held_out.astype(np.float64)))
    assert artifact.estimator.answers(held_out) == pytest.approx(expected, rel=1e-5)


def test_training_twice_gives_the_same_bytes(diabetes: Trained, tmp_path: Path) -> None:
    again = _learnt(tmp_path, "diabetes_progression", {})
    assert (again.unpacked / "model.json").read_bytes() == (diabetes.unpacked / "model.json").read_bytes()


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of samples whose errors are known, about 95 of 100 intervals hold the true RMSE and the true R2."""
    draw, held = np.random.default_rng(5), np.zeros(2, dtype=int)
    for _ in range(60):
        actual = draw.normal(0, 3, 200)
        found = intervals(regression.redrawn(actual, actual + draw.normal(0, 2, 200)))
        held += [found[name]["low"] <= true <= found[name]["high"] for name, true in (("rmse", 2), ("r2", 5 / 9))]
    assert all(held >= 51)


def test_trees_learn_a_number_by_squared_errors(tmp_path: Path) -> None:
    trained = _learnt(tmp_path, "diabetes_progression", BOOSTED)
    booster = xgboost.Booster(model_file=str(trained.unpacked / "model.json"))
    assert json.loads(booster.save_config())["learner"]["objective"]["name"] == "reg:squarederror"


def test_the_scripts_know_what_is_favourable_from_the_file_alone() -> None:
    models: list[Model] = [parse_model(specified(name)) for name in ROWS]
    assert [model.label_value_or_threshold for model in models] == ["140.0", "good"]
