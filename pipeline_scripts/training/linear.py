"""Logistic regression by scikit-learn: a model that a person can check by hand.

Columns are standardised for the fit, so that one penalty suits them all, and the coefficients are brought back to the
columns' own units, so that whoever serves needs no scaler. The solver starts at zero and draws nothing at random.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from pipeline_scripts.analysis.frames import labels
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.serving.estimator import Logistic
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
    matrix = transformer.encode(train_rows).astype(np.float64)
    scaler = StandardScaler()
    try:
        fitted = LogisticRegression(**{"max_iter": _MOST_ITERATIONS, **hyperparameters})
        fitted.fit(scaler.fit_transform(matrix), labels(train_rows, model))
    except (TypeError, ValueError) as error:
        raise JobError(f"scikit-learn refuses the hyperparameters of the model: {error}") from error
    coefficients = fitted.coef_[0] / scaler.scale_
    return Logistic(
        coefficients=tuple(coefficients.tolist()),
        intercept=float(fitted.intercept_[0] - coefficients @ scaler.mean_),
        means=tuple(scaler.mean_.tolist()),
    )
