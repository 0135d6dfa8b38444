"""Two versions on the same rows: how much better is one, and how sure is that?

Both are measured on the same redrawn samples, so what is hard about a sample is hard for both and cancels out: the
interval of the difference is far narrower than the versions' own.

See:
    E. R. DeLong et al., Comparing the Areas under Two or More Correlated ROC Curves, Biometrics 44, 1988, on why
    areas of the same rows must be compared in pairs.
    FDA, Non-Inferiority Clinical Trials to Establish Effectiveness, 2016, on the margin and the one-sided bound.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_scripts.analysis import classification, regression
from pipeline_scripts.analysis.compared import Comparison
from pipeline_scripts.analysis.frames import Outcomes
from pipeline_scripts.analysis.redrawn import Reals
from pipeline_scripts.analysis.regression import Numbers

Measure = tuple[str, Callable[[Any, Any], float], Callable[[Any, Any], Reals]]
"""A metric that is better the higher it is: its name, its value, and its values in redrawn samples."""

AUC: Measure = ("auc", classification.auc, classification.bootstrap_auc)
R2: Measure = (
    "r2",
    lambda truth, answers: regression.errors(truth, answers)["r2"],
    lambda truth, answers: regression.redrawn(truth, answers)["r2"],
)


def compare(
    truth: Outcomes, *, challenger: Numbers, champion: Numbers, measure: Measure, max_loss: float, confidence: float
) -> Comparison:
    """Compare by one metric.

    Args:
        truth: The outcomes of the rows.
        challenger: The answers of the version that wants to be registered.
        champion: The answers of the version it has to measure up to, in the same order.
        measure: The metric.
        max_loss: How much of the metric the challenger may lose.
        confidence: Of each of the two one-sided bounds.
    """
    name, measured, drawn = measure
    of_challenger, of_champion = measured(truth, challenger), measured(truth, champion)
    redrawn = drawn(truth, challenger) - drawn(truth, champion)
    low, high = np.quantile(redrawn, [1 - confidence, confidence], method="inverted_cdf")
    return Comparison(
        metric=name,
        challenger=of_challenger,
        champion_value=of_champion,
        difference=of_challenger - of_champion,
        low=float(low),
        high=float(high),
        confidence=confidence,
        max_loss=max_loss,
        p_value=float(np.mean(redrawn < -max_loss)),
        rows=len(truth),
    )
