"""Model quality in Model Monitor's format: statistics.json and constraints.json of a binary classification.

Fields, their names and the 200 samples from which on deviations are given follow the documentation of Model Monitor.
The deviations themselves are bootstrapped here (the service redraws 80 % five times). The best constant classifier
answers always positive, as in the documentation's example.
"""

from typing import Any

import numpy as np

from pipeline_scripts.analysis import classification
from pipeline_scripts.analysis.classification import Labels, Scores
from pipeline_scripts.model import Model

CONSTRAINED = ("auc", "accuracy", "recall")
_FEWEST_FOR_DEVIATION = 200


def quality_statistics(labels: Labels, scores: Scores, threshold: float) -> dict[str, Any]:
    """The content of statistics.json; both outcomes must occur in `labels`."""
    predicted = (scores >= threshold).astype(np.int8)
    values = {**classification.thresholded(labels, predicted), "auc": classification.auc(labels, scores)}
    constant = {**classification.thresholded(labels, np.ones_like(labels)), "auc": 0.5}
    spread = classification.deviations(labels, scores, threshold) if len(labels) >= _FEWEST_FOR_DEVIATION else {}
    curve = classification.roc_curve(labels, scores)
    return {
        "version": 0.0,
        "dataset": {"item_count": len(labels)},
        "binary_classification_metrics": {
            "confusion_matrix": classification.confusion(labels, predicted),
            **{name: {"value": value, "standard_deviation": spread.get(name, "NaN")} for name, value in values.items()},
            **{
                f"{name}_best_constant_classifier": {"value": constant[name], "standard_deviation": "NaN"}
                for name in ("recall", "precision", "accuracy", "auc", "f0_5", "f1", "f2")
            },
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": curve["fpr"],
                "true_positive_rates": curve["tpr"],
            },
            "precision_recall_curve": classification.precision_recall_curve(labels, scores),
        },
    }


def quality_constraints(statistics: dict[str, Any], model: Model) -> dict[str, Any]:
    """The content of constraints.json: what a served version may not fall below.

    The tolerance is `monitoring.max_auc_loss`, an absolute loss. It holds for the AUC and also for accuracy and recall,
    because a model whose ranking survives can still answer wrongly at its threshold.
    """
    metrics = statistics["binary_classification_metrics"]
    tolerance = model.settings["monitoring"]["max_auc_loss"]
    return {
        "version": 0.0,
        "binary_classification_constraints": {
            name: {
                "threshold": max(0.0, metrics[name]["value"] - tolerance),
                "comparison_operator": "LessThanThreshold",
            }
            for name in CONSTRAINED
        },
    }
