"""Leave an XGBoost model as MLflow's scoring server reads it: `save_mlflow.py MODEL_JSON FOLDER`."""

import sys

import mlflow.xgboost
import xgboost

booster = xgboost.Booster(model_file=sys.argv[1])
booster.set_param({"nthread": 1})
mlflow.xgboost.save_model(booster, sys.argv[2])
