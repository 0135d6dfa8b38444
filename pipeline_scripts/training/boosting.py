"""XGBoost on the train side, stopped early by the validation side.

One thread, because a floating-point sum depends on how threads share it: the same data, seed and library give the same
bytes on any number of cores.

The trees grow in stretches, each from the bytes that the one before left and with a seed of its own. XGBoost does not
keep the state of its random numbers in a model, so only where every stretch begins like a resumed one does a training
that was broken off end with the bytes of one that was not.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xgboost
from xgboost.callback import EarlyStopping

from pipeline_scripts.analysis.frames import outcomes
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.serving.estimator import Trees
from pipeline_scripts.serving.transformer import Transformer
from pipeline_scripts.training.checkpoints import Checkpoint, checkpoint_in

_FIXED = {"tree_method": "hist", "nthread": 1, "verbosity": 1}
_OBJECTIVES = {"binary_classification": "binary:logistic", "regression": "reg:squarederror"}
_EARLY_STOPPING_METRICS = {"binary_classification": "logloss", "regression": "rmse"}
_EARLY_STOPPING_ROUNDS = 50
_STRETCH = 50  # rounds that are lost at most when a machine is taken away
_SEEDS = 2**31


def fit_trees(
    train_rows: pd.DataFrame,
    validation_rows: pd.DataFrame,
    *,
    transformer: Transformer,
    model: Model,
    hyperparameters: Mapping[str, Any],
    checkpoints: Path,
) -> Trees:
    """Grow trees until the validation side stops gaining, and keep those up to the best.

    Goes on from the checkpoint of the same training, if there is one in `checkpoints`.

    Raises:
        JobError: XGBoost refuses a hyperparameter.
    """
    parameters = {**hyperparameters, **_FIXED, "objective": _OBJECTIVES[model.problem]}
    rounds = int(parameters.pop("num_round", 100))
    patience = int(parameters.pop("early_stopping_rounds", _EARLY_STOPPING_ROUNDS))
    parameters.setdefault("seed", model.settings["training"]["seed"])
    parameters.setdefault("eval_metric", _EARLY_STOPPING_METRICS[model.problem])
    columns = list(transformer.columns)
    sides = [(transformer.encode(rows), outcomes(rows, model)) for rows in (train_rows, validation_rows)]
    checkpoint = checkpoint_in(
        checkpoints,
        settings={**parameters, "rounds": rounds, "patience": patience, "xgboost": xgboost.__version__},
        arrays=[array for side in sides for array in side],
        suffix=".ubj",
    )
    train, validation = (
        xgboost.DMatrix(matrix, label=outcome, feature_names=columns, nthread=1) for matrix, outcome in sides
    )
    try:
        booster = _grow(parameters, train, validation, rounds=rounds, patience=patience, checkpoint=checkpoint)
    except (xgboost.core.XGBoostError, ValueError) as error:
        reason = next(
            (line for line in str(error).splitlines() if "Check failed" in line or "value" in line), str(error)
        )
        raise JobError(f"XGBoost refuses the hyperparameters of the model: {reason.strip()}") from error
    best: xgboost.Booster = booster[: booster.best_iteration + 1]
    best.set_attr(best_iteration=None, best_score=None)  # of the unsliced booster; nothing reads them here
    return Trees(booster=best)


def _grow(
    parameters: Mapping[str, Any],
    train: xgboost.DMatrix,
    validation: xgboost.DMatrix,
    *,
    rounds: int,
    patience: int,
    checkpoint: Checkpoint,
) -> xgboost.Booster:
    """Grow stretch by stretch; the bytes hold, as attributes, how far early stopping has come."""
    learnt = checkpoint.read()
    booster = xgboost.Booster(model_file=bytearray(learnt)) if learnt else None
    while True:
        grown = booster.num_boosted_rounds() if booster else 0
        if booster and (grown >= rounds or grown - 1 - booster.best_iteration >= patience):
            return booster
        booster = xgboost.train(
            {**parameters, "seed": (int(parameters["seed"]) + grown) % _SEEDS},
            train,
            num_boost_round=min(_STRETCH, rounds - grown),
            evals=[(validation, "validation")],
            callbacks=[_Patience(rounds=patience)],
            xgb_model=bytearray(learnt) if learnt else None,
            verbose_eval=50,
        )
        learnt = bytes(booster.save_raw(raw_format="ubj"))
        checkpoint.write(learnt)


class _Patience(EarlyStopping):
    """XGBoost's early stopping, which remembers the best round of the stretches before."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        best = model.attr("best_score")
        if best is not None and not self.stopping_history:
            metric = list(evals_log["validation"])[-1]
            self.stopping_history = {"validation": {metric: [float(best)]}}
            self.best_scores = {"validation": {metric: [float(best)]}}
            self.current_rounds = self.starting_round - 1 - int(model.attr("best_iteration"))
        return bool(super().after_iteration(model, epoch, evals_log))
