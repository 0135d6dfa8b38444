"""A model's hooks on sagemaker-inference and multi-model-server: their encoder, and XGBoost before it.

Their decoder of CSV guesses types, and makes of whole and broken numbers side by side what XGBoost does not take.
"""

import io
from pathlib import Path

import numpy as np
import xgboost


def model_fn(model_dir):
    booster = xgboost.Booster(model_file=str(Path(model_dir) / "model.json"))
    booster.set_param({"nthread": 1})
    return booster


def input_fn(body, content_type):
    return np.loadtxt(io.StringIO(body), dtype=np.float32, delimiter=",", ndmin=2)


def predict_fn(data, model):
    return model.predict(xgboost.DMatrix(data, nthread=1), validate_features=False)
