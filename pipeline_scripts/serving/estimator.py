"""What was learnt, whichever algorithm learnt it: from the model's matrix to answers, read from plain JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import xgboost

from pipeline_scripts.serving.transformer import Matrix
from pipeline_scripts.serving.trees import TreeWalk, read_walk

Answers = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
_AnyLinear = TypeVar("_AnyLinear", bound="Linear")
_MOST_STEPS = 24_000  # where a walk takes as long as the call into XGBoost: 20 rows of 300 trees of depth 4
_PROBES, _ROUNDING = 64, 1e-6


class Estimator(Protocol):
    """A fitted model of the probability of the positive outcome, or of a number."""

    def answers(self, matrix: Matrix) -> Answers:
        """The probability of the positive outcome before calibration, or the expected number, a row each."""

    def margins(self, matrix: Matrix) -> Values:
        """What attributions add up to, a row each: the log-odds of the answer, or the expected number itself."""

    def contributions(self, matrix: Matrix) -> tuple[Values, float]:
        """What every column adds to a row's margin, exact Shapley values, and the base value all rows share."""

    def to_bytes(self) -> bytes:
        """The content of model.json: the same bytes for the same model."""


@dataclass(frozen=True, kw_only=True)
class Trees:
    """Boosted trees, in XGBoost's own JSON, and the faster way to walk them, where there is one."""

    booster: xgboost.Booster
    walk: TreeWalk | None = None

    def answers(self, matrix: Matrix) -> Answers:
        """Walked for few rows; else in-place: the same trees as through a DMatrix, without building one."""
        walk = self.walk
        if walk is not None and len(matrix) * walk.steps <= _MOST_STEPS and np.isfinite(matrix).all():
            return walk.answers(matrix)
        return np.asarray(self.booster.inplace_predict(matrix), dtype=np.float32)

    def margins(self, matrix: Matrix) -> Values:
        """XGBoost's own margins."""
        return np.asarray(self.booster.inplace_predict(matrix, predict_type="margin"), dtype=np.float64)

    def contributions(self, matrix: Matrix) -> tuple[Values, float]:
        """XGBoost's own TreeSHAP, whose last column is the base value."""
        data = xgboost.DMatrix(matrix, nthread=1)
        values = self.booster.predict(data, pred_contribs=True, validate_features=False).astype(np.float64)
        return values[:, :-1], float(values[:, -1].mean()) if len(matrix) else 0.0

    def to_bytes(self) -> bytes:
        """XGBoost's JSON."""
        return bytes(self.booster.save_raw(raw_format="json"))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Trees":
        """Read trees; one thread, because a server starts a worker a core and more only wait for each other."""
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
        booster.set_param({"nthread": 1})
        walk = read_walk(json.loads(content))
        return cls(booster=booster, walk=walk if walk is not None and _agrees(walk, booster) else None)


def _agrees(walk: TreeWalk, booster: xgboost.Booster) -> bool:
    """Whether the walk answers as this very XGBoost does, on rows that lie at the thresholds and right below them."""
    inner = walk.thresholds < np.inf
    thresholds = [walk.thresholds[inner & (walk.features == column)] for column in range(booster.num_features())]
    probes = np.column_stack([np.resize(found if len(found) else np.float32([0]), _PROBES) for found in thresholds])
    probes = np.concatenate([probes, np.nextafter(probes, np.float32(-np.inf))], dtype=np.float32)
    expected = booster.inplace_predict(probes)
    return bool(np.abs(walk.answers(probes) - expected).max() <= _ROUNDING * max(1.0, np.abs(expected).max()))


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A linear model of a number.

    `means` are those of the training rows: where a column lies there, it moves no answer away from the average, which
    is what attributions are measured from.
    """

    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]

    def margins(self, matrix: Matrix) -> Values:
        """The weighted sum of the columns."""
        sums: Values = matrix.astype(np.float64) @ np.asarray(self.coefficients) + self.intercept
        return sums

    def contributions(self, matrix: Matrix) -> tuple[Values, float]:
        """They follow from the coefficients and the means of the training rows, columns taken as independent."""
        means, coefficients = np.asarray(self.means), np.asarray(self.coefficients)
        return (matrix - means) * coefficients, float(means @ coefficients + self.intercept)

    def answers(self, matrix: Matrix) -> Answers:
        """The weighted sum itself."""
        return self.margins(matrix).astype(np.float32)

    def to_bytes(self) -> bytes:
        """Coefficients with as many digits as bring the same numbers back."""
        content = {"coefficients": self.coefficients, "intercept": self.intercept, "means": self.means}
        return json.dumps({"version": "1.0", **content}, indent=2).encode()

    @classmethod
    def from_bytes(cls: type[_AnyLinear], content: bytes) -> _AnyLinear:
        """Read back what `to_bytes` wrote."""
        parsed = json.loads(content)
        return cls(
            coefficients=tuple(map(float, parsed["coefficients"])),
            intercept=float(parsed["intercept"]),
            means=tuple(map(float, parsed["means"])),
        )


@dataclass(frozen=True, kw_only=True)
class Logistic(Linear):
    """A linear model of the log-odds of the positive outcome."""

    def answers(self, matrix: Matrix) -> Answers:
        """The logistic function of the log-odds, without overflow at either end."""
        odds = self.margins(matrix)
        small = np.exp(-np.abs(odds))
        return np.where(odds >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)


_KINDS: Mapping[str, Any] = {"xgboost": Trees, "logistic_regression": Logistic, "linear_regression": Linear}


def read_estimator(algorithm: str, content: bytes) -> Estimator:
    """Read the model.json of a version that `algorithm` made.

    Raises:
        ValueError: This code knows no such algorithm.
    """
    if algorithm not in _KINDS:
        raise ValueError(f"algorithm {algorithm!r} is not one of {', '.join(_KINDS)}; does newer code serve this?")
    estimator: Estimator = _KINDS[algorithm].from_bytes(content)
    return estimator
