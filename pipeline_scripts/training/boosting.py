"""XGBoost on the train side, stopped early by the validation side.

One thread, because a floating-point sum depends on how threads share it: the same data, seed and library give the same
bytes on any number of cores.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import xgboost

from pipeline_scripts.analysis.frames import outcomes
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.serving.estimator import Trees
from pipeline_scripts.serving.transformer import Transformer

_FIXED = {"tree_method": "hist", "nthread": 1, "verbosity": 1}
_OBJECTIVES = {"binary_classification": "binary:logistic", "regression": "reg:squarederror"}
_EARLY_STOPPING_METRICS = {"binary_classification": "logloss", "regression": "rmse"}
_EARLY_STOPPING_ROUNDS = 50


def fit_trees(
    train_rows: pd.DataFrame,
    validation_rows: pd.DataFrame,
    *,
    transformer: Transformer,
    model: Model,
    hyperparameters: Mapping[str, Any],
) -> Trees:
    """Grow trees until the validation side stops gaining, and keep those up to the best.

    Raises:
        JobError: XGBoost refuses a hyperparameter.
    """
    parameters = {**hyperparameters, **_FIXED, "objective": _OBJECTIVES[model.problem]}
    rounds = int(parameters.pop("num_round", 100))
    patience = int(parameters.pop("early_stopping_rounds", _EARLY_STOPPING_ROUNDS))
    parameters.setdefault("seed", model.settings["training"]["seed"])
    parameters.setdefault("eval_metric", _EARLY_STOPPING_METRICS[model.problem])
    columns = list(transformer.columns)
    sides = [
        xgboost.DMatrix(transformer.encode(rows), label=outcomes(rows, model), feature_names=columns, nthread=1)
        for rows in (train_rows, validation_rows)
    ]
    try:
        booster = xgboost.train(
            parameters,
            sides[0],
            num_boost_round=rounds,
            evals=[(sides[1], "validation")],
            early_stopping_rounds=patience,
            verbose_eval=50,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        reason = next(
            (line for line in str(error).splitlines() if "Check failed" in line or "value" in line), str(error)
        )
        raise JobError(f"XGBoost refuses the hyperparameters of the model: {reason.strip()}") from error
    best: xgboost.Booster = booster[: booster.best_iteration + 1]
    best.set_attr(best_iteration=None, best_score=None)  # of the unsliced booster; nothing reads them here
    return Trees(booster=best)
