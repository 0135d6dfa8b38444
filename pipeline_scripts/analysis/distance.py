"""How far two distributions lie apart (L-infinity), and how far chance alone would put them.

Small samples of the same distribution differ, so a distance counts only when it is above both the tolerance and what
chance explains. For numbers that is the two-sample bound of Dvoretzky, Kiefer and Wolfowitz on cumulative
distributions, for categories Hoeffding's on every frequency; both hold for any distribution. All comparisons of one
run share one chance of a false alarm, so more features do not mean more false alarms.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FALSE_ALARMS = 0.01  # a run
Points = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def baseline_points(distribution: Mapping[str, Any]) -> Points:
    """Values and their weights: from the sketch, else from the upper bounds of the buckets."""
    kll = distribution["kll"]
    levels = kll.get("sketch", {}).get("data") or []
    if levels:
        values = np.concatenate([np.asarray(level, dtype=np.float64) for level in levels])
        weights = np.concatenate([np.full(len(level), 2.0**height) for height, level in enumerate(levels)])
    else:
        values = np.array([bucket["upper_bound"] for bucket in kll["buckets"]])
        weights = np.array([bucket["count"] for bucket in kll["buckets"]], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    return values[order], weights[order]


def numeric_distance(baseline: Points, current: npt.NDArray[np.float64], *, at_values_only: bool = False) -> float:
    """The largest difference of the two cumulative distributions.

    `at_values_only` compares at the baseline's values alone, all that buckets allow.
    """
    values, weights = baseline
    ordered = np.sort(current)
    places = values if at_values_only else np.union1d(values, ordered)
    cumulated = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    before = cumulated[np.searchsorted(values, places, side="right")]
    now = np.searchsorted(ordered, places, side="right") / len(ordered)
    return float(np.abs(before - now).max())


def categorical_distance(baseline: Mapping[str, int], current: Mapping[str, int]) -> float:
    """The largest difference of a category's frequency."""
    before, now = sum(baseline.values()), sum(current.values())
    return max(
        abs(baseline.get(category, 0) / before - current.get(category, 0) / now) for category in {*baseline, *current}
    )


def chance(before: float, now: float, *, comparisons: int) -> float:
    """The distance that samples of these sizes stay below, but for the share of false alarms.

    Args:
        before: Rows of the baseline.
        now: Rows of the current window.
        comparisons: How many distances the run compares, every category of a text column counted.
    """
    return math.sqrt(math.log(2 * comparisons / FALSE_ALARMS) / 2 * (1 / before + 1 / now))
