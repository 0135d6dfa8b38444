"""How good the probabilities of a binary model are: scikit-learn's metrics, and how sure they can be.

Deviations are bootstrapped: of thresholded metrics by redrawing the four cells of the confusion matrix (which is the
same as redrawing rows), of the AUC by redrawing rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics

from pipeline_scripts.analysis.frames import Labels
from pipeline_scripts.analysis.redrawn import DRAWS, SEED, Redrawn, intervals

Scores = npt.NDArray[np.floating[Any]]

MEASURED = ("auc", "accuracy", "precision", "recall", "f1", "log_loss", "brier", "average_precision")
_CURVE_POINTS = 200


def evaluate(labels: Labels, scores: Scores, threshold: float, drawn: Redrawn) -> dict[str, Any]:
    """Every metric of a version on one set of rows, which `drawn` are redrawn from; both outcomes must occur in it."""
    predicted = (scores >= threshold).astype(np.int8)
    rates = thresholded(labels, predicted)
    bins = calibration(labels, scores)
    return {
        "rows": len(labels),
        "positive_rate": float(labels.mean()),
        "threshold": threshold,
        "auc": auc(labels, scores),
        **{name: rates[name] for name in ("accuracy", "precision", "recall", "f1")},
        "log_loss": metrics.log_loss(labels, scores.astype(np.float64), labels=[0, 1]),
        "brier": metrics.brier_score_loss(labels, scores),
        "average_precision": metrics.average_precision_score(labels, scores),
        "intervals": intervals(
            {
                **{name: drawn[name] for name in ("accuracy", "precision", "recall", "f1", "auc")},
                "brier": _redrawn_means((scores.astype(np.float64) - labels) ** 2),
            }
        ),
        "confusion_matrix": confusion(labels, predicted),
        "roc_curve": roc_curve(labels, scores),
        "calibration": bins,
        "calibration_error": calibration_error(bins),
    }


def auc(labels: Labels, scores: Scores) -> float:
    """Area under the ROC curve."""
    return float(metrics.roc_auc_score(labels, scores))


def confusion(labels: Labels, predicted: Labels) -> dict[str, dict[str, int]]:
    """Rows by actual label, then by predicted label: Model Monitor's shape."""
    table = metrics.confusion_matrix(labels, predicted, labels=[0, 1])
    return {str(actual): {str(answer): int(table[actual, answer]) for answer in (0, 1)} for actual in (0, 1)}


def thresholded(labels: Labels, predicted: Labels) -> dict[str, float]:
    """The metrics of the labels that the threshold makes; 0 where nothing was predicted positive."""
    table = metrics.confusion_matrix(labels, predicted, labels=[0, 1])
    return {name: float(value[0]) for name, value in _rates(table.reshape(1, 4)).items()}


def redrawn(labels: Labels, scores: Scores, threshold: float) -> Redrawn:
    """Every metric of `thresholded`, and the AUC, in redrawn samples."""
    table = metrics.confusion_matrix(labels, (scores >= threshold).astype(np.int8), labels=[0, 1]).reshape(4)
    generator = np.random.default_rng(SEED)
    rates = _rates(generator.multinomial(len(labels), table / table.sum(), size=DRAWS))
    return {**rates, "auc": bootstrap_auc(labels, scores)}


def deviations(drawn: Redrawn) -> dict[str, float]:
    """The standard deviation of every metric among the redrawn samples."""
    return {name: float(values.std()) for name, values in drawn.items()}


def _redrawn_means(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(SEED)
    return np.array([values[generator.integers(len(values), size=len(values))].mean() for _ in range(DRAWS)])


def expected_cost(labels: Labels, scores: Scores, threshold: float, costs: Mapping[str, float]) -> dict[str, float]:
    """What a row costs on average at the threshold, and at the best one that these rows know in hindsight.

    The two lie close together where probabilities come true; a gap says that the calibration does not hold.
    """
    false_rate, true_rate, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    share = float(labels.mean())
    alarmed, missed = (1 - share) * false_rate, share * (1 - true_rate)
    by_threshold = alarmed * costs["false_positive"] + missed * costs["false_negative"]
    wrong = confusion(labels, (scores >= threshold).astype(np.int8))
    paid = wrong["0"]["1"] * costs["false_positive"] + wrong["1"]["0"] * costs["false_negative"]
    best = int(np.argmin(by_threshold))
    return {
        "per_row": paid / len(labels),
        "best_per_row": float(by_threshold[best]),
        "best_threshold": min(1.0, float(thresholds[best])),
    }


def _rates(cells: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
    """Metrics from confusion matrices, a row each: true negatives, false positives, false negatives, true positives."""
    tn, fp, fn, tp = (cells[:, place].astype(np.float64) for place in range(4))

    def share(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)

    def f_score(beta: float) -> npt.NDArray[np.float64]:
        weight = beta * beta
        return share((1 + weight) * tp, (1 + weight) * tp + weight * fn + fp)

    return {
        "recall": share(tp, tp + fn),
        "precision": share(tp, tp + fp),
        "accuracy": share(tp + tn, tp + tn + fp + fn),
        "true_positive_rate": share(tp, tp + fn),
        "true_negative_rate": share(tn, tn + fp),
        "false_positive_rate": share(fp, tn + fp),
        "false_negative_rate": share(fn, tp + fn),
        "f0_5": f_score(0.5),
        "f1": f_score(1.0),
        "f2": f_score(2.0),
    }


def bootstrap_auc(labels: Labels, scores: Scores) -> npt.NDArray[np.float64]:
    """The AUC of many redrawn samples of the same size. A draw with one outcome only says 0.5: it knows nothing."""
    generator = np.random.default_rng(SEED)
    levels, level = np.unique(scores, return_inverse=True)
    draws = np.empty(DRAWS)
    for draw in range(DRAWS):
        rows = generator.integers(len(labels), size=len(labels))
        positives = np.bincount(level[rows], weights=labels[rows], minlength=len(levels))
        negatives = np.bincount(level[rows], minlength=len(levels)) - positives
        pairs = positives.sum() * negatives.sum()
        won = float(np.sum(positives * (np.cumsum(negatives) - negatives / 2)))
        draws[draw] = won / pairs if pairs else 0.5
    return draws


def roc_curve(labels: Labels, scores: Scores) -> dict[str, list[float]]:
    """The ROC curve, thinned evenly to at most 200 points; its two ends stay."""
    false_rate, true_rate, _ = metrics.roc_curve(labels, scores)
    kept = _thinned(len(false_rate))
    return {"fpr": false_rate[kept].tolist(), "tpr": true_rate[kept].tolist()}


def precision_recall_curve(labels: Labels, scores: Scores) -> dict[str, list[float]]:
    """The precision-recall curve, thinned in the same way."""
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    kept = _thinned(len(precision))
    return {"precisions": precision[kept].tolist(), "recalls": recall[kept].tolist()}


def _thinned(points: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, points - 1, min(points, _CURVE_POINTS)).round().astype(np.int64))


def calibration(labels: Labels, scores: Scores, *, bins: int = 10) -> list[dict[str, float]]:
    """What was promised and what came true, in bins of equal width; empty bins are left out."""
    bin_of = np.minimum((np.asarray(scores, dtype=np.float64) * bins).astype(int), bins - 1)
    return [
        {
            "low": place / bins,
            "high": (place + 1) / bins,
            "rows": int((bin_of == place).sum()),
            "mean_probability": float(scores[bin_of == place].mean()),
            "positive_rate": float(labels[bin_of == place].mean()),
        }
        for place in range(bins)
        if (bin_of == place).any()
    ]


def calibration_error(bins: list[dict[str, float]]) -> float:
    """How far promises lie from what came true, on average over rows: the expected calibration error."""
    rows = sum(entry["rows"] for entry in bins)
    return sum(entry["rows"] * abs(entry["mean_probability"] - entry["positive_rate"]) for entry in bins) / rows
