"""The figures of the hold-out, each with its name, its meaning and, where there is one, its interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEANINGS = {
    "auc": ("AUC", "how often a positive row scores above a negative one; 0.5 is chance, 1 is always"),
    "average_precision": ("Average precision", "precision over all thresholds; the share of positives is chance"),
    "accuracy": ("Accuracy", "share of rows that were called right"),
    "precision": ("Precision", "of those called positive, the share that was"),
    "recall": ("Recall", "of those that were positive, the share that was called so"),
    "f1": ("F1", "harmonic mean of precision and recall"),
    "log_loss": ("Log loss", "penalty for confident errors; lower is better"),
    "brier": ("Brier score", "mean squared error of the probability; lower is better"),
    "calibration_error": ("Calibration error", "mean gap between what was promised and what came true"),
    "cost": ("Expected cost", "a row, with the costs of the model's YAML; lower is better"),
    "r2": ("R²", "share of the outcome's variance that the answers explain"),
    "rmse": ("RMSE", "root of the mean squared error, in the outcome's unit"),
    "mae": ("MAE", "mean absolute error, in the outcome's unit"),
}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure of the hold-out, with its interval where there is one."""

    label: str
    meaning: str
    value: float
    low: float | None
    high: float | None


def metrics_of(evaluation: Mapping[str, Any]) -> list[Metric]:
    """The figures that an evaluation.json holds, whatever kind of problem it is of."""
    intervals = evaluation.get("intervals", {})
    return [
        Metric(
            label=MEANINGS[name][0],
            meaning=MEANINGS[name][1],
            value=evaluation[name],
            low=intervals.get(name, {}).get("low"),
            high=intervals.get(name, {}).get("high"),
        )
        for name in MEANINGS
        if isinstance(evaluation.get(name), int | float)
    ]
