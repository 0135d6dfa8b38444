"""How the answer follows one feature, all else as it is: partial dependence, in Clarify's analysis.json format.

Every row of a sample is answered again with each value of the feature's grid, by the version's own transformer,
estimator and calibration, and the answers are averaged. The grid of a number are quantiles of the rows from 5 to 95 %,
so that nothing is asked of values that hardly occur; of a category it is every one that training knew. Clarify's
optional distribution of the values is left out: it would tell how few rows a rare category has.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline_scripts.analysis.artifact import Artifact
from pipeline_scripts.serving.transformer import Feature

MOST_ROWS = 1_000  # the mean of a thousand probabilities is within 0.03 of the mean of all
_GRID = np.linspace(0.05, 0.95, 15)  # as many values as Clarify takes by default
_SEED = 20260101


def sample_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """At most `MOST_ROWS` of the rows, drawn with a fixed seed."""
    return rows.sample(n=min(MOST_ROWS, len(rows)), random_state=_SEED).reset_index(drop=True)


def partial_dependences(artifact: Artifact, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The `pdp` part of analysis.json: the mean answer at each value of every feature's grid."""
    return [_dependence(artifact, rows, feature) for feature in artifact.transformer.features]


def _dependence(artifact: Artifact, rows: pd.DataFrame, feature: Feature) -> dict[str, Any]:
    grid = _quantiles(rows[feature.name]) if feature.encoding == "number" else list(feature.categories)
    means = [float(artifact.answers(rows.assign(**{feature.name: value})).mean()) for value in grid]
    return {
        "feature_name": feature.name,
        "data_type": "numerical" if feature.encoding == "number" else "categorical",
        "feature_values": grid,
        "model_predictions": [means],
    }


def _quantiles(column: "pd.Series[Any]") -> list[float]:
    """Values that occur, each once; none of a column that is all missing."""
    known = column.dropna().to_numpy(dtype=np.float64)
    found: list[float] = np.unique(np.quantile(known, _GRID, method="inverted_cdf")).tolist() if len(known) else []
    return found
