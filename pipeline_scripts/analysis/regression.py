"""How good the numbers of a regression are: scikit-learn's metrics, and SciPy's bootstrap of how sure they can be."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import bootstrap
from sklearn import metrics

from pipeline_scripts.analysis.redrawn import DRAWS, SEED, Reals, Redrawn, intervals

Numbers = npt.NDArray[np.number[Any]]

MEASURED = ("r2", "rmse", "mae")
_NAMES = ("mae", "mse", "rmse", "r2")
_DRAWS_AT_ONCE = 20  # bounds the memory of large hold-outs


def evaluate(actual: Numbers, answers: Numbers, drawn: Redrawn) -> dict[str, Any]:
    """Every metric of a version on one set of rows, which `drawn` are redrawn from, in the target's own unit.

    `actual` must differ from row to row.
    """
    values = errors(actual, answers)
    return {
        "rows": len(actual),
        "mean_outcome": float(actual.mean()),
        "mean_answer": float(answers.mean(dtype=np.float64)),
        **{name: values[name] for name in MEASURED},
        "median_absolute_error": float(metrics.median_absolute_error(actual, answers)),
        "intervals": intervals({name: drawn[name] for name in _NAMES if name in MEASURED}),
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


def redrawn(actual: Numbers, answers: Numbers) -> Redrawn:
    """Every metric of `errors` in redrawn samples; other answers to the same outcomes are redrawn alike."""
    found = bootstrap(
        (np.asarray(actual, dtype=np.float64), np.asarray(answers, dtype=np.float64)),
        _measured,
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        batch=_DRAWS_AT_ONCE,
        method="percentile",
        random_state=np.random.default_rng(SEED),  # its name in every SciPy, whichever the container has
    )
    return dict(zip(_NAMES, found.bootstrap_distribution, strict=True))


def deviations(drawn: Redrawn) -> dict[str, float]:
    """The standard error of every metric, as SciPy counts it."""
    return {name: float(values.std(ddof=1)) for name, values in drawn.items()}


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
