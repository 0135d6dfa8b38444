"""Partial dependences are scikit-learn's own, and attributions do not depend on how the rows are cut into blocks."""

import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import partial_dependence

from pipeline_scripts.analysis import attribution
from pipeline_scripts.analysis.artifact import Artifact, load_artifact
from pipeline_scripts.analysis.dependence import partial_dependences, sample_rows
from pipeline_scripts.serving.transformer import Transformer
from tests.runtime.churn import Trained, customers


class Wrapped(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The version as scikit-learn's function wants it: fitted, on the model's matrix."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.classes_ = np.array([0, 1])

    def fit(self, matrix: object, labels: object) -> "Wrapped":
        return self

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]  # as scikit-learn calls it
        positive = self.artifact.calibration.apply(
            self.artifact.estimator.answers(np.asarray(matrix, dtype=np.float32))
        )
        return np.column_stack([1 - positive, positive])


@pytest.mark.parametrize("name", ["balance", "products", "age_group"])
def test_a_dependence_is_scikit_learns_own(trained: Trained, name: str) -> None:
    artifact, rows = load_artifact(trained.artefact), sample_rows(trained.holdout())
    [found] = [entry for entry in partial_dependences(artifact, rows) if entry["feature_name"] == name]
    [feature] = [feature for feature in artifact.transformer.features if feature.name == name]
    column = artifact.transformer.columns.index(name)
    matrix = artifact.transformer.encode(rows)
    grid = Transformer(features=(feature,)).encode({name: found["feature_values"]})[:, 0]
    own = partial_dependence(
        Wrapped(artifact),
        matrix,
        [column],
        custom_values={column: grid},
        response_method="predict_proba",
        method="brute",
        kind="average",
    )
    assert found["model_predictions"][0] == pytest.approx(own["average"][0], abs=1e-6)


def test_every_feature_has_its_dependence_with_the_size_of_the_sample(trained: Trained) -> None:
    analysis = json.loads((trained.evidence / "explainability" / "analysis.json").read_text())
    found = {entry["feature_name"]: entry for entry in analysis["explanations"]["pdp"]}
    holdout = trained.holdout()
    assert tuple(found) == trained.model.features
    assert analysis["method"]["pdp_rows"] == min(1_000, len(holdout))
    assert found["country"]["feature_values"] == ["France", "Germany", "Spain"]
    balances = found["balance"]["feature_values"]
    assert balances == sorted(set(balances))
    assert (holdout["balance"] < balances[-1]).mean() < 0.95 <= (holdout["balance"] <= balances[-1]).mean()
    assert all(len(entry["feature_values"]) == len(entry["model_predictions"][0]) for entry in found.values())


def test_a_sample_is_bounded_and_the_same_each_time() -> None:
    rows = customers(1_500)
    assert len(sample_rows(rows)) == 1_000
    assert sample_rows(rows).equals(sample_rows(rows))


def test_blocks_of_rows_do_not_change_an_attribution(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact, rows = load_artifact(trained.artefact), trained.holdout()
    at_once, expected = attribution.attributions(artifact, rows)
    monkeypatch.setattr(attribution, "_ROWS_AT_ONCE", 100)
    in_blocks, same = attribution.attributions(artifact, rows)
    assert np.array_equal(at_once, in_blocks)
    assert expected == same
