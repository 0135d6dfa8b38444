"""Linear models by scikit-learn, which a person can check by hand: logistic regression, and Ridge for a number.

Columns are standardised for the fit, so that one penalty suits them all, and the coefficients are brought back to the
columns' own units, so that whoever serves needs no scaler. Neither solver draws anything at random.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from pipeline_scripts.analysis.frames import outcomes
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.serving.estimator import Linear, Logistic
from pipeline_scripts.serving.transformer import Transformer

_MOST_ITERATIONS = 1_000  # scikit-learn's 100 stop too early on some tables


def fit_logistic(
    train_rows: pd.DataFrame,
    validation_rows: pd.DataFrame,
    *,
    transformer: Transformer,
    model: Model,
    hyperparameters: Mapping[str, Any],
    checkpoints: Path,
) -> Logistic:
    """Fit the train side in seconds, without rounds: `validation_rows` stop nothing early, `checkpoints` stay empty.

    Raises:
        JobError: scikit-learn refuses a hyperparameter.
    """
    settings = {"max_iter": _MOST_ITERATIONS, **hyperparameters}
    return Logistic(**_fitted(LogisticRegression, settings, train_rows, transformer, model))


def fit_linear(
    train_rows: pd.DataFrame,
    validation_rows: pd.DataFrame,
    *,
    transformer: Transformer,
    model: Model,
    hyperparameters: Mapping[str, Any],
    checkpoints: Path,
) -> Linear:
    """Fit the train side by Ridge, whose penalty also chooses among columns that say the same, as of one category.

    As `fit_logistic`, it neither stops early nor saves anything.

    Raises:
        JobError: scikit-learn refuses a hyperparameter.
    """
    return Linear(**_fitted(Ridge, hyperparameters, train_rows, transformer, model))


def _fitted(
    kind: type[LogisticRegression] | type[Ridge],
    hyperparameters: Mapping[str, Any],
    rows: pd.DataFrame,
    transformer: Transformer,
    model: Model,
) -> dict[str, Any]:
    scaler = StandardScaler()
    try:
        matrix = scaler.fit_transform(transformer.encode(rows).astype(np.float64))
        fitted = kind(**hyperparameters).fit(matrix, outcomes(rows, model))
    except (TypeError, ValueError) as error:
        raise JobError(f"scikit-learn refuses the hyperparameters of the model: {error}") from error
    coefficients: npt.NDArray[np.float64] = np.ravel(fitted.coef_) / scaler.scale_
    return {
        "coefficients": tuple(coefficients.tolist()),
        "intercept": float(np.ravel(fitted.intercept_)[0] - coefficients @ scaler.mean_),
        "means": tuple(scaler.mean_.tolist()),
    }
