"""Fitting the calibration, on the validation side: rows that the model did not learn from."""

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.serving.calibration import Calibration, log_odds


def fit_calibration(method: str, probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int8]) -> Calibration:
    """The curve from what the model answered to what was true.

    Platt's line is fitted without a penalty, to his smoothed targets, so that a side without error keeps it finite.

    Raises:
        JobError: The answers run against the labels, so that no rising curve fits.
    """
    if method == "none":
        return Calibration()
    if method == "isotonic":
        return _isotonic(probabilities, labels)
    positives, negatives = int(labels.sum()), int(len(labels) - labels.sum())
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    smoothed = np.where(labels == 1, high, low)
    odds = log_odds(probabilities).reshape(-1, 1)
    line = LogisticRegression(C=np.inf, max_iter=1_000)
    line.fit(
        np.vstack([odds, odds]),
        np.repeat([1, 0], len(odds)),
        sample_weight=np.concatenate([smoothed, 1 - smoothed]),
    )
    slope = float(line.coef_[0, 0])
    if slope <= 0:
        raise JobError("the model's answers run against the labels of the validation side; it has learnt nothing")
    return Calibration(method="sigmoid", slope=slope, offset=float(line.intercept_[0]))


def _isotonic(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int8]) -> Calibration:
    steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(probabilities, labels)
    points = zip(steps.X_thresholds_.tolist(), steps.y_thresholds_.tolist(), strict=True)
    return Calibration(method="isotonic", points=tuple((float(x), float(y)) for x, y in points))
