"""Metrics in redrawn samples of the same size: what other rows held out might have said."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

DRAWS = 400
SEED = 20260101

Reals = npt.NDArray[np.float64]
Redrawn = Mapping[str, Reals]
"""Each metric in every sample."""


def intervals(redrawn: Redrawn, *, level: float = 0.95) -> dict[str, dict[str, float]]:
    """Between which values each metric lies in `level` of the samples."""
    tail = (1 - level) / 2
    return {
        name: {"level": level, "low": float(np.quantile(values, tail)), "high": float(np.quantile(values, 1 - tail))}
        for name, values in redrawn.items()
    }
