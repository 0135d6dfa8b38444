"""Distances are exact on samples, near exact on sketches, and chance stays below its bound."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from pipeline_scripts.analysis.column_statistics import SKETCH_SIZE, column_statistics, compacted
from pipeline_scripts.analysis.distance import (
    FALSE_ALARMS,
    baseline_points,
    categorical_distance,
    chance,
    numeric_distance,
)
from pipeline_scripts.model import Model
from tests.runtime.churn import customers

DRAW = np.random.default_rng(4)


def points_of(values: "np.ndarray[tuple[int], np.dtype[np.float64]]"):  # type: ignore[no-untyped-def]
    return baseline_points({"kll": {"sketch": {"data": compacted(np.sort(values))}}})


@pytest.mark.parametrize("rows", [50, SKETCH_SIZE, SKETCH_SIZE + 1, 30_001])
def test_sketch_keeps_every_rows_weight_and_little_else(rows: int) -> None:
    levels = compacted(np.sort(DRAW.normal(size=rows)))
    assert sum(len(level) * 2**height for height, level in enumerate(levels)) == rows
    assert sum(map(len, levels)) <= SKETCH_SIZE + len(levels)


@pytest.mark.parametrize("rows", [1_500, 20_000])
def test_numeric_distance_is_that_of_the_kolmogorov_smirnov_test(rows: int) -> None:
    before, now = DRAW.normal(size=rows), DRAW.normal(0.3, 1, size=400)
    exact = ks_2samp(before, now).statistic
    assert numeric_distance(points_of(before), now) == pytest.approx(exact, abs=1e-12 if rows < SKETCH_SIZE else 0.001)


def test_distance_of_a_sample_to_itself_is_none() -> None:
    values = DRAW.choice([0.0, 1.0, 5.0], size=300)
    assert numeric_distance(points_of(values), values) == 0


def test_buckets_alone_still_show_a_shift() -> None:
    buckets = [{"lower_bound": low, "upper_bound": low + 1, "count": 100} for low in range(10)]
    points = baseline_points({"kll": {"buckets": buckets}})
    same, shifted = np.linspace(0.05, 9.95, 400), np.linspace(5.05, 9.95, 400)
    assert numeric_distance(points, same, at_values_only=True) < 0.02
    assert numeric_distance(points, shifted, at_values_only=True) > 0.45


def test_categorical_distance_is_the_largest_change_of_a_frequency() -> None:
    assert categorical_distance({"a": 50, "b": 50}, {"a": 70, "b": 20, "c": 10}) == pytest.approx(0.3)


def test_chance_exceeds_its_bound_as_rarely_as_promised() -> None:
    bound = chance(2_000, 200, comparisons=1)
    beyond = sum(numeric_distance(points_of(DRAW.random(2_000)), DRAW.random(200)) > bound for _ in range(300))
    assert beyond <= 300 * FALSE_ALARMS * 3


def test_statistics_count_missing_values_and_keep_the_rest(model: Model) -> None:
    frame = customers(200)[["balance", "country"]].copy()
    frame.loc[:19, "balance"] = None
    frame.loc[:4, "country"] = None
    numbers, texts = column_statistics(frame, model)["features"]
    assert numbers["numerical_statistics"]["common"] == {"num_present": 180, "num_missing": 20}
    assert numbers["numerical_statistics"]["mean"] == pytest.approx(frame["balance"].mean())
    assert texts["string_statistics"]["common"] == {"num_present": 195, "num_missing": 5}
    assert texts["string_statistics"]["distinct_count"] == len(Counter(frame["country"].dropna()))


def test_empty_column_has_statistics_without_a_distribution(model: Model) -> None:
    frame = pd.DataFrame({"balance": pd.Series([None, None], dtype="float64")})
    [feature] = column_statistics(frame, model)["features"]
    assert feature["numerical_statistics"]["mean"] is None
    assert "distribution" not in feature["numerical_statistics"]
