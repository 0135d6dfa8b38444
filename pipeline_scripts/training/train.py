"""Step 3: the training job: XGBoost on the train side, stopped early by the validation side.

The same data, seed and library give the same bytes, on any number of cores: one thread, because a floating-point sum
depends on how threads share it. The artefact holds no pickle and serves itself: trees as JSON, the transformer, the
signature, and the serving code.
"""

import ast
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import xgboost

from pipeline_scripts.analysis.frames import labels, read_frames
from pipeline_scripts.analysis.job import JobError, base_dir, run_job
from pipeline_scripts.analysis.json_files import read_json, write_json
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.serving.transformer import Transformer
from pipeline_scripts.training.fitting import make_signature

_FIXED = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "verbosity": 1}
_EARLY_STOPPING_ROUNDS = 50
_SERVING_PACKAGE = ("errors.py", "request.py", "signature.py", "transformer.py", "__init__.py")


def main(argv: Sequence[str]) -> int:
    """Takes no argument: a training job finds everything in its fixed places under /opt/ml."""
    if argv:
        raise SystemExit(f"training.train takes no argument, got {argv[0]!r}")
    return run_job(lambda: train(base_dir(), load_model()), outcome="failure")


def train(base: Path, model: Model) -> str:
    """Train on the channels under `base/input` and leave the artefact in `base/model`."""
    data = base / "input" / "data"
    transformer = Transformer.from_json(read_json(data / "transformer" / "transformer.json"))
    booster = fit(
        read_frames(data / "train"),
        read_frames(data / "validation"),
        transformer=transformer,
        model=model,
        hyperparameters=hyperparameters(base / "input" / "config" / "hyperparameters.json", model),
    )
    write_artifact(base / "model", booster, transformer, model)
    return f"Completed: {booster.num_boosted_rounds()} trees on {booster.num_features()} columns."


def hyperparameters(path: Path, model: Model) -> dict[str, Any]:
    """The model's hyperparameters, overridden by the job's (SageMaker passes every value as text)."""
    given = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    chosen = {**model.settings["training"]["hyperparameters"], **given}
    return {name: _parsed(value) for name, value in chosen.items() if not name.startswith("sagemaker_")}


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def fit(
    train_rows: pd.DataFrame,
    validation_rows: pd.DataFrame,
    *,
    transformer: Transformer,
    model: Model,
    hyperparameters: Mapping[str, Any],
) -> xgboost.Booster:
    """Grow trees until the validation side stops gaining, and keep those up to the best."""
    parameters = {**hyperparameters, **_FIXED}
    rounds = int(parameters.pop("num_round", 100))
    patience = int(parameters.pop("early_stopping_rounds", _EARLY_STOPPING_ROUNDS))
    parameters.setdefault("seed", model.settings["training"]["seed"])
    parameters.setdefault("eval_metric", "logloss")
    columns = list(transformer.columns)
    sides = [
        xgboost.DMatrix(transformer.encode(rows), label=labels(rows, model), feature_names=columns, nthread=1)
        for rows in (train_rows, validation_rows)
    ]
    try:
        booster = xgboost.train(
            parameters,
            sides[0],
            num_boost_round=rounds,
            evals=[(sides[1], "validation")],
            early_stopping_rounds=patience,
            verbose_eval=50,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        reason = next(
            (line for line in str(error).splitlines() if "Check failed" in line or "value" in line), str(error)
        )
        raise JobError(f"XGBoost refuses the hyperparameters of the model: {reason.strip()}") from error
    best: xgboost.Booster = booster[: booster.best_iteration + 1]
    return best


def write_artifact(folder: Path, booster: xgboost.Booster, transformer: Transformer, model: Model) -> None:
    """Write everything an endpoint needs, in files whose bytes depend on nothing but their content."""
    folder.mkdir(parents=True, exist_ok=True)
    booster.set_attr(best_iteration=None, best_score=None)  # of the unsliced booster; nothing reads them here
    booster.save_model(folder / "model.json")
    write_json(folder / "transformer.json", transformer.to_json())
    write_json(folder / "signature.json", make_signature(transformer, model).to_json())
    package = resources.files("pipeline_scripts")
    serving = package.joinpath("serving")
    code = folder / "code"
    (code / "pipeline_scripts" / "serving").mkdir(parents=True, exist_ok=True)
    (code / "inference.py").write_bytes(serving.joinpath("inference.py").read_bytes())
    (code / "pipeline_scripts" / "__init__.py").write_bytes(package.joinpath("__init__.py").read_bytes())
    for name in _SERVING_PACKAGE:
        (code / "pipeline_scripts" / "serving" / name).write_bytes(serving.joinpath(name).read_bytes())
