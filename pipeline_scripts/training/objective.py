"""What a tuning compares its training jobs by, printed as SageMaker looks for it.

SageMaker tunes in AWS's own XGBoost container, whose metrics it finds by patterns of its own: a round in brackets, a
tab, and the name and value as XGBoost itself prints them. It takes the last line that fits.
"""

from typing import Any

import numpy.typing as npt

from pipeline_scripts.analysis.classification import auc
from pipeline_scripts.analysis.regression import errors
from pipeline_scripts.model import Model


def objective_line(outcome: npt.NDArray[Any], promised: npt.NDArray[Any], model: Model) -> str:
    """The line that tells the area under the ROC curve of the validation side, or a regression's RMSE there."""
    if model.regression:
        return f"[0]\tvalidation-rmse:{errors(outcome, promised)['rmse']:.6f}"
    return f"[0]\tvalidation-auc:{auc(outcome, promised):.6f}"
