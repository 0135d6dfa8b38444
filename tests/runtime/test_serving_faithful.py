"""What is fast answers what the model answers: 10,000 rows, with missing values and categories that nobody ever saw."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import xgboost

from pipeline_scripts.serving import estimator, inference
from pipeline_scripts.serving.calibration import Calibration
from pipeline_scripts.serving.estimator import Linear, Logistic, Trees
from pipeline_scripts.serving.inference import ServedModel
from pipeline_scripts.serving.transformer import Transformer
from tests.runtime.churn import customers

ROWS = 10_000
SIZES = (1, 2, 5, 1, 20, 100)  # rows a request: walked, and left to XGBoost
Answer = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Customers; of every input, one value in ten is missing, and one text in ten is new."""
    frame = customers(ROWS, seed=23).astype(object)
    draw = np.random.default_rng(5)
    frame.loc[draw.random(ROWS) < 0.1, "country"] = "Narnia"
    frame.loc[draw.random(ROWS) < 0.1, "age_group"] = "ageless"
    for name in frame.columns:
        frame.loc[draw.random(ROWS) < 0.1, name] = None
    return frame


def encoded(frame: pd.DataFrame, transformer: Transformer) -> npt.NDArray[np.float32]:
    """The model's matrix, made by pandas."""
    columns = []
    for feature in transformer.features:
        values = frame[feature.name]
        if feature.encoding == "one_hot":
            columns += [(values == category).astype(float) for category in feature.categories]
        else:
            order = {category: place for place, category in enumerate(feature.categories)}
            numbers = values.map(order) if feature.encoding == "ordinal" else values
            columns.append(pd.to_numeric(numbers).astype(float).fillna(feature.fill))
    return np.column_stack(columns).astype(np.float32)


def requests(frame: pd.DataFrame, names: tuple[str, ...]) -> Iterator[str]:
    rows = iter(frame[list(names)].to_dict("records"))
    for size in itertools.cycle(SIZES):
        chunk = list(itertools.islice(rows, size))
        if not chunk:
            return
        yield json.dumps({"instances": chunk}, default=float)


def grown(served: ServedModel, objective: str, **parameters: Any) -> xgboost.Booster:
    rows = customers(1_500, seed=3)
    target = rows["churned"] if objective.startswith("binary") else rows["balance"] + 9_000 * rows["products"]
    data = xgboost.DMatrix(
        served.transformer.encode(rows), label=target, feature_names=list(served.transformer.columns)
    )
    return xgboost.train({"objective": objective, "max_depth": 5, "nthread": 1, **parameters}, data, 60)


def through_a_matrix(booster: xgboost.Booster, served: ServedModel) -> Answer:
    columns = list(served.transformer.columns)
    return lambda matrix: booster.predict(xgboost.DMatrix(matrix, feature_names=columns))


def as_trained(served: ServedModel) -> tuple[ServedModel, Answer]:
    answer = through_a_matrix(served.estimator.booster, served)
    calibration = served.calibration

    def calibrated(matrix: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        odds = np.log(answer(matrix).astype(float)) - np.log1p(-answer(matrix).astype(float))
        return 1 / (1 + np.exp(-(calibration.slope * odds + calibration.offset)))

    return served, calibrated


def a_regression_of_trees(served: ServedModel) -> tuple[ServedModel, Answer]:
    booster = grown(served, "reg:squarederror")
    changed = replace(
        served,
        estimator=Trees.from_bytes(bytes(booster.save_raw("json"))),
        calibration=Calibration(),
        signature=replace(served.signature, problem="regression", threshold=None),
    )
    return changed, through_a_matrix(booster, served)


def weights(served: ServedModel) -> npt.NDArray[np.float64]:
    return np.random.default_rng(2).normal(size=len(served.transformer.columns)) / 1_000


def a_linear_regression(served: ServedModel) -> tuple[ServedModel, Answer]:
    chosen = weights(served)
    linear = Linear(coefficients=tuple(chosen), intercept=3.0, means=(0.0,) * len(chosen))
    signature = replace(served.signature, problem="regression", threshold=None)
    changed = replace(served, estimator=linear, calibration=Calibration(), signature=signature)
    return changed, lambda matrix: (matrix.astype(float) * chosen).sum(axis=1) + 3.0


def a_logistic_regression(served: ServedModel) -> tuple[ServedModel, Answer]:
    chosen = weights(served)
    logistic = Logistic(coefficients=tuple(chosen), intercept=0.1, means=(0.0,) * len(chosen))
    changed = replace(served, estimator=logistic, calibration=Calibration())
    return changed, lambda matrix: 1 / (1 + np.exp(-((matrix.astype(float) * chosen).sum(axis=1) + 0.1)))


@pytest.mark.parametrize("case", [as_trained, a_regression_of_trees, a_linear_regression, a_logistic_regression])
def test_requests_of_any_size_get_the_answers_of_the_model(
    served: ServedModel, frame: pd.DataFrame, case: Callable[[ServedModel], tuple[ServedModel, Answer]]
) -> None:
    changed, answer = case(served)
    expected = answer(encoded(frame, served.transformer))
    lines: list[str] = []
    for body in requests(frame, served.signature.names):
        lines += inference.transform_fn(changed, body, "application/json", "text/csv")[0].splitlines()
    answered = np.array([float(line) for line in lines])
    assert len(answered) == ROWS and len(np.unique(answered)) > 1_000
    assert (np.abs(answered - expected) / np.maximum(1, np.abs(expected))).max() < 1e-6


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"max_depth": 1},
        {"gamma": 5.0, "max_depth": 8},
        {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"base_score": 0.9},
        {"gamma": 1e9},
    ],
)
@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror"])
def test_trees_are_walked_to_the_same_sums(served: ServedModel, objective: str, parameters: dict[str, Any]) -> None:
    booster = grown(served, objective, **parameters)
    trees = Trees.from_bytes(bytes(booster.save_raw("json")))
    assert trees.walk is not None
    matrix = served.transformer.encode(customers(300, seed=9))
    margins = replace(trees.walk, logistic=False).answers(matrix)
    assert np.array_equal(margins, booster.inplace_predict(matrix, predict_type="margin"))


@pytest.mark.parametrize("parameters", [{"booster": "dart"}, {"objective": "binary:logitraw"}])
def test_trees_of_another_kind_are_left_to_xgboost(served: ServedModel, parameters: dict[str, Any]) -> None:
    booster = grown(served, **{"objective": "binary:logistic", **parameters})
    trees = Trees.from_bytes(bytes(booster.save_raw("json")))
    matrix = served.transformer.encode(customers(3, seed=9))
    assert trees.walk is None
    assert np.array_equal(trees.answers(matrix), booster.inplace_predict(matrix))


def test_a_walk_that_answers_otherwise_is_not_used(served: ServedModel) -> None:
    walk, booster = served.estimator.walk, served.estimator.booster
    assert estimator._agrees(walk, booster)
    assert not estimator._agrees(replace(walk, base=walk.base + np.float32(1e-4)), booster)
    for side in (-np.inf, np.inf):
        moved = np.where(walk.thresholds < np.inf, np.nextafter(walk.thresholds, np.float32(side)), np.inf)
        assert not estimator._agrees(replace(walk, thresholds=moved.astype(np.float32)), booster)


def test_a_value_that_is_missing_even_after_filling_goes_xgboosts_way(served: ServedModel) -> None:
    matrix = served.transformer.encode(customers(2, seed=9))
    matrix[1, 3:] = np.nan
    assert np.array_equal(served.estimator.answers(matrix), served.estimator.booster.inplace_predict(matrix))
