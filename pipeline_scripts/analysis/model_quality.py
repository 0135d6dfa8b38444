"""Model quality in Model Monitor's format: statistics.json and constraints.json of either problem.

Fields, their names and the 200 samples from which on deviations are given follow the documentation of Model Monitor.
The deviations themselves are bootstrapped here (the service redraws 80 % five times). The best constant classifier
answers always positive, as in the documentation's example.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline_scripts.analysis import classification, regression
from pipeline_scripts.analysis.classification import Scores
from pipeline_scripts.analysis.frames import Labels, Outcomes
from pipeline_scripts.analysis.redrawn import Redrawn
from pipeline_scripts.model import Model

_NOT_BELOW = ("auc", "accuracy", "recall")
_NOT_ABOVE = ("rmse", "mae")
_FEWEST_FOR_DEVIATION = 200


def redrawn_quality(outcomes: Outcomes, answers: Scores, model: Model) -> Redrawn:
    """The metrics of the model's kind of problem when the rows are drawn again."""
    if model.regression:
        return regression.redrawn(outcomes, answers)
    return classification.redrawn(outcomes.astype(np.int8), answers, model.settings["serving"]["threshold"])


def quality_deviations(drawn: Redrawn, model: Model) -> dict[str, float]:
    """How far every metric lies from its mean when the rows are drawn again."""
    return regression.deviations(drawn) if model.regression else classification.deviations(drawn)


def quality_statistics(outcomes: Outcomes, answers: Scores, drawn: Redrawn, model: Model) -> dict[str, Any]:
    """The content of statistics.json; the outcomes, which `drawn` are redrawn from, must not be all the same."""
    spread = quality_deviations(drawn, model) if len(outcomes) >= _FEWEST_FOR_DEVIATION else {}
    if model.regression:
        metrics = _with_deviations(regression.errors(outcomes, answers), spread)
    else:
        metrics = _of_classification(outcomes.astype(np.int8), answers, model.settings["serving"]["threshold"], spread)
    return {"version": 0.0, "dataset": {"item_count": len(outcomes)}, f"{model.problem}_metrics": metrics}


def _of_classification(labels: Labels, scores: Scores, threshold: float, spread: Mapping[str, float]) -> dict[str, Any]:
    predicted = (scores >= threshold).astype(np.int8)
    values = {**classification.thresholded(labels, predicted), "auc": classification.auc(labels, scores)}
    constant = {**classification.thresholded(labels, np.ones_like(labels)), "auc": 0.5}
    curve = classification.roc_curve(labels, scores)
    return {
        "confusion_matrix": classification.confusion(labels, predicted),
        **_with_deviations(values, spread),
        **{
            f"{name}_best_constant_classifier": {"value": constant[name], "standard_deviation": "NaN"}
            for name in ("recall", "precision", "accuracy", "auc", "f0_5", "f1", "f2")
        },
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": curve["fpr"],
            "true_positive_rates": curve["tpr"],
        },
        "precision_recall_curve": classification.precision_recall_curve(labels, scores),
    }


def _with_deviations(values: Mapping[str, float], spread: Mapping[str, float]) -> dict[str, Any]:
    return {name: {"value": value, "standard_deviation": spread.get(name, "NaN")} for name, value in values.items()}


def quality_constraints(statistics: dict[str, Any], model: Model) -> dict[str, Any]:
    """The content of constraints.json: what a served version may not fall below, or its errors rise above.

    `monitoring.max_auc_loss` is an absolute loss. It holds for the AUC and also for accuracy and recall, because a
    model whose ranking survives can still answer wrongly at its threshold. `monitoring.max_rmse_increase` is relative
    and holds for both errors of a regression; its R2 is not bound, because it also falls where the answers are as
    close as ever and the outcomes of a window merely differ less from each other.
    """
    metrics = statistics[f"{model.problem}_metrics"]
    settings = model.settings["monitoring"]
    if model.regression:
        factor = 1 + settings["max_rmse_increase"]
        constraints = {
            name: _constraint("GreaterThanThreshold", metrics[name]["value"] * factor) for name in _NOT_ABOVE
        }
    else:
        loss = settings["max_auc_loss"]
        constraints = {
            name: _constraint("LessThanThreshold", max(0.0, metrics[name]["value"] - loss)) for name in _NOT_BELOW
        }
    return {"version": 0.0, f"{model.problem}_constraints": constraints}


def _constraint(operator: str, threshold: float) -> dict[str, Any]:
    return {"threshold": threshold, "comparison_operator": operator}
