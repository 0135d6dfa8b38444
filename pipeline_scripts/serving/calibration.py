"""From what a model answers to what comes true: 0.3 should mean three of ten.

Calibration never changes the order of two answers, so it moves no ROC curve; it moves what a threshold means. A
threshold that costs decide (see `training.costs` of a model) is only right on calibrated probabilities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

_NEAREST_TO_CERTAIN = 1e-7  # of a 32-bit probability; log-odds beyond it would be infinite


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A rising curve from answered to calibrated probabilities.

    `sigmoid` (Platt) is a line in log-odds, `slope` times plus `offset`; `isotonic` interpolates between `points`,
    (answered, calibrated) in rising order; `none` changes nothing.
    """

    method: Literal["none", "sigmoid", "isotonic"] = "none"
    slope: float = 1.0
    offset: float = 0.0
    points: tuple[tuple[float, float], ...] = ()

    def apply(self, probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The calibrated probabilities."""
        if self.method == "none":
            return probabilities
        if self.method == "isotonic":
            return np.asarray(np.interp(probabilities, *self._curve), dtype=np.float32)
        odds = self.slope * log_odds(probabilities) + self.offset
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float32)

    @cached_property
    def _curve(self) -> npt.NDArray[np.float64]:
        """The points as the two rows that interpolation reads: made once, not at each request."""
        return np.array(self.points).T

    def to_json(self) -> dict[str, Any]:
        """The fitted curve as JSON."""
        points = [list(point) for point in self.points]
        return {
            "version": "1.0",
            "method": self.method,
            "slope": self.slope,
            "offset": self.offset,
            "points": points,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Calibration":
        """Read back what `to_json` wrote."""
        return cls(
            method=content["method"],
            slope=float(content["slope"]),
            offset=float(content["offset"]),
            points=tuple((float(answered), float(calibrated)) for answered, calibrated in content["points"]),
        )


def log_odds(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The logarithm of the odds, finite even for answers that are certain."""
    bounded = np.minimum(np.maximum(probabilities.astype(np.float64), _NEAREST_TO_CERTAIN), 1 - _NEAREST_TO_CERTAIN)
    odds: npt.NDArray[np.float64] = np.log(bounded) - np.log1p(-bounded)
    return odds
