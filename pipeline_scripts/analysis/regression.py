"""How good the numbers of a regression are: scikit-learn's metrics, and SciPy's bootstrap of how sure they can be."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import bootstrap
from sklearn import metrics

Numbers = npt.NDArray[np.number[Any]]
Reals = npt.NDArray[np.float64]

MEASURED = ("r2", "rmse", "mae")
_NAMES = ("mae", "mse", "rmse", "r2")
_DRAWS = 400
_BOOTSTRAP_SEED = 20260101
_DRAWS_AT_ONCE = 20  # bounds the memory of large hold-outs


def evaluate(actual: Numbers, answers: Numbers) -> dict[str, Any]:
    """Every metric of a version on one set of rows, in the target's own unit; `actual` must differ from row to row."""
    values = errors(actual, answers)
    return {
        "rows": len(actual),
        "mean_outcome": float(actual.mean()),
        "mean_answer": float(answers.mean(dtype=np.float64)),
        **{name: values[name] for name in MEASURED},
        "median_absolute_error": float(metrics.median_absolute_error(actual, answers)),
        "intervals": intervals(actual, answers),
        "tenths": tenths(actual, answers),
    }


def errors(actual: Numbers, answers: Numbers) -> dict[str, float]:
    """Model Monitor's metrics of a regression."""
    squared = float(metrics.mean_squared_error(actual, answers))
    return {
        "mae": float(metrics.mean_absolute_error(actual, answers)),
        "mse": squared,
        "rmse": math.sqrt(squared),
        "r2": float(metrics.r2_score(actual, answers)),
    }


def deviations(actual: Numbers, answers: Numbers) -> dict[str, float]:
    """The bootstrapped standard deviation of every metric of `errors`."""
    return dict(zip(_NAMES, _redrawn(actual, answers).standard_error.tolist(), strict=True))


def intervals(actual: Numbers, answers: Numbers, *, level: float = 0.95) -> dict[str, dict[str, float]]:
    """Between which values a metric lies in `level` of the redrawn samples: what others held out might have said."""
    low, high = _redrawn(actual, answers, level=level).confidence_interval
    return {
        name: {"level": level, "low": float(low[place]), "high": float(high[place])}
        for place, name in enumerate(_NAMES)
        if name in MEASURED
    }


def bootstrap_r2(actual: Numbers, answers: Numbers) -> Reals:
    """R2 in many redrawn samples of the same size; other answers to the same outcomes are redrawn alike."""
    drawn: Reals = _redrawn(actual, answers).bootstrap_distribution[_NAMES.index("r2")]
    return drawn


def _redrawn(actual: Numbers, answers: Numbers, *, level: float = 0.95) -> Any:
    return bootstrap(
        (np.asarray(actual, dtype=np.float64), np.asarray(answers, dtype=np.float64)),
        _measured,
        paired=True,
        vectorized=True,
        n_resamples=_DRAWS,
        batch=_DRAWS_AT_ONCE,
        confidence_level=level,
        method="percentile",
        random_state=np.random.default_rng(_BOOTSTRAP_SEED),  # its name in every SciPy, whichever the container has
    )


def _measured(actual: Reals, answers: Reals, axis: int) -> Reals:
    """The same metrics of many samples at once. Where all outcomes of one are the same, its R2 says nothing: 0."""
    residuals, spread = actual - answers, np.var(actual, axis=axis)
    squared = np.mean(residuals**2, axis=axis)
    unexplained = np.divide(squared, spread, out=np.ones_like(squared), where=spread > 0)
    return np.stack([np.mean(np.abs(residuals), axis=axis), squared, np.sqrt(squared), 1 - unexplained])


def tenths(actual: Numbers, answers: Numbers) -> list[dict[str, float]]:
    """What was answered and what came true, in ten groups of like size by the answer; fewer where answers tie."""
    rows = pd.DataFrame({"answer": np.asarray(answers, dtype=np.float64), "outcome": actual})
    groups = rows.groupby(pd.qcut(rows["answer"], 10, labels=False, duplicates="drop"))
    return [
        {
            "low": float(group["answer"].min()),
            "high": float(group["answer"].max()),
            "rows": len(group),
            "mean_answer": float(group["answer"].mean()),
            "mean_outcome": float(group["outcome"].mean()),
        }
        for _, group in groups
    ]
