"""Step 3: the training job: the model's algorithm on the train side, calibrated on the validation side.

The same data, seed and library give the same bytes, on any number of cores. The artefact holds no pickle and serves
itself: what was learnt as JSON, the transformer, the calibration, the signature, and the serving code.
"""

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pipeline_scripts.analysis.frames import labels, outcomes, read_frames
from pipeline_scripts.analysis.holdout import HoldOut
from pipeline_scripts.analysis.job import base_dir, run_job
from pipeline_scripts.analysis.json_files import read_json, write_json
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.serving.calibration import Calibration
from pipeline_scripts.serving.estimator import Estimator
from pipeline_scripts.serving.transformer import Transformer
from pipeline_scripts.training.boosting import fit_trees
from pipeline_scripts.training.calibrate import fit_calibration
from pipeline_scripts.training.fitting import make_signature
from pipeline_scripts.training.linear import fit_linear, fit_logistic
from pipeline_scripts.training.objective import objective_line

_ALGORITHMS: Mapping[str, Callable[..., Estimator]] = {
    "xgboost": fit_trees,
    "logistic_regression": fit_logistic,
    "linear_regression": fit_linear,
}


def main(argv: Sequence[str]) -> int:
    """Takes no argument: a training job finds everything in its fixed places under /opt/ml."""
    if argv:
        raise SystemExit(f"training.train takes no argument, got {argv[0]!r}")
    return run_job(lambda: train(base_dir(), load_model()), outcome="failure")


def train(base: Path, model: Model) -> str:
    """Train on the channels under `base/input` and leave the artefact in `base/model`."""
    data = base / "input" / "data"
    transformer = Transformer.from_json(read_json(data / "transformer" / "transformer.json"))
    holdout = HoldOut.from_json(read_json(data / "transformer" / "holdout.json"))
    train_rows, validation_rows = read_frames(data / "train"), read_frames(data / "validation")
    training = model.settings["training"]
    estimator = _ALGORITHMS[training["algorithm"]](
        train_rows,
        validation_rows,
        transformer=transformer,
        model=model,
        hyperparameters=hyperparameters(base / "input" / "config" / "hyperparameters.json", model),
        checkpoints=base / "checkpoints",
    )
    promised = estimator.answers(transformer.encode(validation_rows))
    print(objective_line(outcomes(validation_rows, model), promised, model), flush=True)
    calibration = fit_calibration(training["calibration"], promised, labels(validation_rows, model))
    write_artifact(base / "model", estimator, calibration, transformer, holdout, model)
    columns = len(transformer.columns)
    return f"Completed: {training['algorithm']} on {len(train_rows)} rows and {columns} columns."


def hyperparameters(path: Path, model: Model) -> dict[str, Any]:
    """The model's hyperparameters, overridden by the job's (SageMaker passes every value as text).

    Names that begin with `sagemaker_` or, in the jobs of a tuning, with an underscore are SageMaker's own.
    """
    given = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    chosen = {**model.settings["training"]["hyperparameters"], **given}
    return {name: _parsed(value) for name, value in chosen.items() if not name.startswith(("sagemaker_", "_"))}


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def write_artifact(
    folder: Path,
    estimator: Estimator,
    calibration: Calibration,
    transformer: Transformer,
    holdout: HoldOut,
    model: Model,
) -> None:
    """Write everything an endpoint needs, in files whose bytes depend on nothing but their content.

    It also says which rows were held out, for the version that will be compared with this one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_bytes(estimator.to_bytes())
    write_json(folder / "calibration.json", calibration.to_json())
    write_json(folder / "transformer.json", transformer.to_json())
    write_json(folder / "holdout.json", holdout.to_json())
    write_json(folder / "signature.json", make_signature(transformer, model).to_json())
    package = resources.files("pipeline_scripts")
    serving = package.joinpath("serving")
    code = folder / "code"
    (code / "pipeline_scripts" / "serving").mkdir(parents=True, exist_ok=True)
    (code / "inference.py").write_bytes(serving.joinpath("inference.py").read_bytes())
    (code / "pipeline_scripts" / "__init__.py").write_bytes(package.joinpath("__init__.py").read_bytes())
    for file in serving.iterdir():
        if file.name.endswith(".py") and file.name != "inference.py":
            (code / "pipeline_scripts" / "serving" / file.name).write_bytes(file.read_bytes())
