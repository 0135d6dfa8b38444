"""What was learnt, whichever algorithm learnt it: from the model's matrix to answers, read from plain JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import xgboost

from pipeline_scripts.serving.transformer import Matrix

Answers = npt.NDArray[np.float32]
_AnyLinear = TypeVar("_AnyLinear", bound="Linear")


class Estimator(Protocol):
    """A fitted model of the probability of the positive outcome, or of a number."""

    def answers(self, matrix: Matrix) -> Answers:
        """The probability of the positive outcome before calibration, or the expected number, a row each."""

    def to_bytes(self) -> bytes:
        """The content of model.json: the same bytes for the same model."""


@dataclass(frozen=True, kw_only=True)
class Trees:
    """Boosted trees, in XGBoost's own JSON."""

    booster: xgboost.Booster

    def answers(self, matrix: Matrix) -> Answers:
        """In-place: the same trees as through a DMatrix, without building one."""
        return np.asarray(self.booster.inplace_predict(matrix), dtype=np.float32)

    def to_bytes(self) -> bytes:
        """XGBoost's JSON."""
        return bytes(self.booster.save_raw(raw_format="json"))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Trees":
        """Read trees; one thread, because a server starts a worker a core and more only wait for each other."""
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
        booster.set_param({"nthread": 1})
        return cls(booster=booster)


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A linear model of a number.

    `means` are those of the training rows: where a column lies there, it moves no answer away from the average, which
    is what attributions are measured from.
    """

    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]

    def margins(self, matrix: Matrix) -> npt.NDArray[np.float64]:
        """The weighted sum of the columns, a row each: what attributions add up to."""
        sums: npt.NDArray[np.float64] = matrix.astype(np.float64) @ np.asarray(self.coefficients) + self.intercept
        return sums

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
