"""Evaluation, bias and attributions say what scikit-learn, smclarify and shap say, in the monitors' formats."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
import xgboost
from sklearn.metrics import ndcg_score, roc_auc_score

from pipeline_scripts.analysis import classification
from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.attribution import attributions, ranking_ndcg
from pipeline_scripts.analysis.fairness import bias_section, count_groups
from pipeline_scripts.analysis.frames import labels
from pipeline_scripts.model import Model
from tests.runtime.churn import Trained


def read(path: Path) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{path} holds {constant}, which is no JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_evaluation_agrees_with_its_predictions(trained: Trained) -> None:
    evaluation = read(trained.evidence / "evaluation" / "evaluation.json")
    predictions = pd.read_csv(trained.evidence / "evaluation" / "predictions.csv")
    assert evaluation["auc"] == pytest.approx(roc_auc_score(predictions["label"], predictions["probability"]))
    assert all(
        interval["low"] < evaluation[name] < interval["high"] for name, interval in evaluation["intervals"].items()
    )
    hits = (predictions["probability"] >= evaluation["threshold"]) == predictions["label"]
    assert evaluation["accuracy"] == pytest.approx(hits.mean())
    assert sum(sum(row.values()) for row in evaluation["confusion_matrix"].values()) == len(predictions)
    assert sum(bin_["rows"] for bin_ in evaluation["calibration"]) == len(predictions)


def test_canary_expects_what_the_model_answers_to_the_first_row_held_out(trained: Trained) -> None:
    canary = read(trained.evidence / "evaluation" / "evaluation.json")["canary"]
    predictions = pd.read_csv(trained.evidence / "evaluation" / "predictions.csv")
    assert canary["expected"] == pytest.approx(predictions["probability"][0])
    assert canary["request"].count(",") == len(trained.model.inputs) - 1


def test_long_roc_curve_is_thinned_and_keeps_its_ends() -> None:
    draw = np.random.default_rng(1)
    curve = classification.roc_curve(draw.integers(0, 2, 5_000).astype(np.int8), draw.random(5_000))
    assert len(curve["fpr"]) <= 200
    assert (curve["fpr"][0], curve["tpr"][0], curve["fpr"][-1], curve["tpr"][-1]) == (0, 0, 1, 1)


def test_bootstrapped_auc_centres_on_the_auc_with_ties() -> None:
    draw = np.random.default_rng(2)
    truth = draw.integers(0, 2, 2_000).astype(np.int8)
    scores = np.round(draw.random(2_000) * 0.7 + truth * 0.3, 1)
    draws = classification.bootstrap_auc(truth, scores)
    assert draws.mean() == pytest.approx(roc_auc_score(truth, scores), abs=0.003)
    assert np.array_equal(draws, classification.bootstrap_auc(truth, scores))


def test_model_quality_baseline_tolerates_the_configured_loss(trained: Trained) -> None:
    metrics = read(trained.evidence / "model_quality" / "statistics.json")["binary_classification_metrics"]
    constraints = read(trained.evidence / "model_quality" / "constraints.json")["binary_classification_constraints"]
    loss = trained.model.settings["monitoring"]["max_auc_loss"]
    assert constraints["auc"] == {
        "threshold": pytest.approx(metrics["auc"]["value"] - loss),
        "comparison_operator": "LessThanThreshold",
    }
    assert metrics["auc"]["standard_deviation"] > 0
    assert metrics["recall_best_constant_classifier"]["value"] == 1


def test_data_quality_baseline_describes_every_input(trained: Trained) -> None:
    statistics = read(trained.evidence / "data_quality" / "statistics.json")
    train = pd.read_parquet(trained.root / "input" / "data" / "train" / "train.parquet")
    features = {feature["name"]: feature for feature in statistics["features"]}
    assert set(features) == set(trained.model.inputs)
    balance = features["balance"]["numerical_statistics"]
    assert balance["mean"] == pytest.approx(train["balance"].mean())
    assert balance["std_dev"] == pytest.approx(train["balance"].std(ddof=0))
    assert len(balance["distribution"]["kll"]["buckets"]) == 10
    assert sum(bucket["count"] for bucket in balance["distribution"]["kll"]["buckets"]) == len(train)
    countries = features["country"]["string_statistics"]["distribution"]["categorical"]["buckets"]
    assert {bucket["value"]: bucket["count"] for bucket in countries} == train["country"].value_counts().to_dict()
    constraints = read(trained.evidence / "data_quality" / "constraints.json")
    domains = {item["name"]: item.get("string_constraints", {}).get("domains") for item in constraints["features"]}
    assert domains["country"] == ["France", "Germany", "Spain"]


def metrics_of(section: dict[str, Any], facet: str, value: str) -> dict[str, Any]:
    [report] = [item for item in section["facets"][facet] if item["value_or_threshold"] == value]
    return {metric["name"]: metric for metric in report["metrics"]}


def test_bias_report_has_every_metric_of_every_listed_group(trained: Trained) -> None:
    analysis = read(trained.evidence / "bias" / "analysis.json")
    for facet, values in trained.model.facets.items():
        for value in map(str, values):
            before = metrics_of(analysis["pre_training_bias_metrics"], facet, value)
            after = metrics_of(analysis["post_training_bias_metrics"], facet, value)
            assert set(before) == {"CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"}
            assert {"AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE"} == set(after)


def test_difference_in_predictions_is_what_a_person_would_count(trained: Trained) -> None:
    artifact, holdout = load_artifact(trained.artefact), trained.holdout()
    positive = artifact.answers(holdout) >= artifact.signature.threshold
    women = (holdout["gender"] == "Female").to_numpy()
    analysis = read(trained.evidence / "bias" / "analysis.json")
    metrics = metrics_of(analysis["post_training_bias_metrics"], "gender", "Female")
    assert metrics["DPPL"]["value"] == pytest.approx(positive[~women].mean() - positive[women].mean())
    assert metrics["FT"]["value"] is not None


def report_on(trained: Trained, *, rows: pd.DataFrame, predicted: Any) -> dict[str, Any]:
    return bias_section(
        "post_training",
        rows=rows,
        transformer=load_artifact(trained.artefact).transformer,
        labels=labels(rows, trained.model),
        predicted=np.asarray(predicted, dtype=np.int8),
        model=trained.model,
    )


def test_injected_bias_is_seen(trained: Trained) -> None:
    rows = trained.holdout()
    section = report_on(trained, rows=rows, predicted=rows["gender"] == "Female")
    assert metrics_of(section, "gender", "Female")["DPPL"]["value"] == -1


@pytest.mark.parametrize("kept", [0, 3])
def test_small_or_empty_group_is_reported_with_a_note(trained: Trained, kept: int) -> None:
    rows = trained.holdout()
    old = rows["age_group"] == "70+"
    rows = pd.concat([rows[old].head(kept), rows[~old]]).reset_index(drop=True)
    metrics = metrics_of(report_on(trained, rows=rows, predicted=rows["churned"]), "age_group", "70+")
    assert {metric["value"] for metric in metrics.values()} == {None}
    assert all("fewer than 30 rows" in metric["error"] for metric in metrics.values())


def test_nobody_predicted_positive_is_reported_with_a_note(trained: Trained) -> None:
    rows = trained.holdout()
    metrics = metrics_of(report_on(trained, rows=rows, predicted=np.zeros(len(rows))), "gender", "Female")
    assert metrics["DPPL"]["value"] is None
    assert "all False" in metrics["DPPL"]["error"]


def test_counted_groups_carry_the_reported_metrics(trained: Trained, model: Model) -> None:
    rows = trained.holdout()
    predicted = (load_artifact(trained.artefact).answers(rows) >= 0.5).astype(np.int8)
    women = count_groups(rows, labels(rows, model), predicted, model)[0]
    assert sum(women.inside) == (rows["gender"] == "Female").sum()
    assert women.inside[1] + women.inside[3] == predicted[rows["gender"] == "Female"].sum()


def test_bias_needs_no_s3fs() -> None:
    blocked = "import sys; sys.modules['s3fs'] = None; sys.modules['fsspec'] = None; "
    subprocess.run([sys.executable, "-c", blocked + "import pipeline_scripts.training.bias"], check=True)


def test_attributions_add_up_and_equal_shaps_own(trained: Trained) -> None:
    artifact, rows = load_artifact(trained.artefact), trained.holdout()
    values, expected = attributions(artifact, rows)
    matrix = artifact.transformer.encode(rows)
    margins = artifact.estimator.booster.inplace_predict(matrix, predict_type="margin")
    assert np.abs(values.sum(axis=1) + expected - margins).max() < 1e-4
    explainer = shap.TreeExplainer(artifact.estimator.booster)
    columns = explainer.shap_values(xgboost.DMatrix(matrix, feature_names=list(artifact.transformer.columns)))
    summed = np.zeros_like(values)
    for column, feature in enumerate(artifact.transformer.owners):
        summed[:, feature] += columns[:, column]
    assert np.abs(values - summed).max() < 1e-4


def test_explanation_has_a_value_a_feature_and_local_rows(trained: Trained) -> None:
    analysis = read(trained.evidence / "explainability" / "analysis.json")["explanations"]["kernel_shap"]["label0"]
    local = pd.read_csv(trained.evidence / "explainability" / "explanations_shap" / "out.csv")
    assert set(analysis["global_shap_values"]) == set(trained.model.features)
    for name, value in analysis["global_shap_values"].items():
        assert local[f"{name}_label0"].abs().mean() == pytest.approx(value, rel=1e-4)


def test_ranking_is_scored_as_scikit_learn_scores_it() -> None:
    before = {"a": 0.5, "b": 0.3, "c": 0.2, "d": 0.0}
    now = {"a": 0.1, "b": 0.4, "c": 0.2, "d": 0.3}
    expected = ndcg_score([list(before.values())], [list(now.values())])
    assert ranking_ndcg(before, now) == pytest.approx(expected)
    assert ranking_ndcg(before, before) == 1
