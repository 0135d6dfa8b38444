"""The hooks of the SageMaker XGBoost container's script mode: load, read, predict, answer.

Training copies this file into the artefact as `code/inference.py`, with the package it needs beside it, so a version
serves itself with the very code it was trained with. Content types: see `pipeline_scripts.serving.request`. Answers are
`text/csv` (one probability or number a line), `application/json` or `application/jsonlines` (probability and label, or
the value).
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The container may install this module elsewhere; the package it needs stays in the folder it was submitted in.
if "SAGEMAKER_SUBMIT_DIRECTORY" in os.environ:
    sys.path.insert(0, os.environ["SAGEMAKER_SUBMIT_DIRECTORY"])

import numpy as np
import numpy.typing as npt

from pipeline_scripts.serving.calibration import Calibration
from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.estimator import Estimator, read_estimator
from pipeline_scripts.serving.request import CSV, JSON, JSON_LINES, parse_request
from pipeline_scripts.serving.signature import Signature
from pipeline_scripts.serving.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A loaded version: what was learnt, and what turns a request into its columns and its answers into promises."""

    estimator: Estimator
    calibration: Calibration
    transformer: Transformer
    signature: Signature


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The answer a row: the probability of the positive outcome, with the threshold of the label 1, or a number."""

    answers: npt.NDArray[np.float32]
    threshold: float | None


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came. The container does not hand the model to `input_fn`, so `predict_fn` checks it."""

    body: bytes | str
    content_type: str | None


def model_fn(model_dir: str) -> ServedModel:
    """Load the version from its folder."""
    folder = Path(model_dir)
    signature = Signature.from_json(_read(folder / "signature.json"))
    return ServedModel(
        estimator=read_estimator(signature.algorithm, (folder / "model.json").read_bytes()),
        calibration=Calibration.from_json(_read(folder / "calibration.json")),
        transformer=Transformer.from_json(_read(folder / "transformer.json")),
        signature=signature,
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def input_fn(request_body: bytes | str, request_content_type: str | None) -> Request:
    """Take the request as it is."""
    return Request(body=request_body, content_type=request_content_type)


def predict_fn(input_data: Request, model: ServedModel) -> Prediction:
    """Check the rows against the version's signature and score them.

    Raises:
        RequestError: The request does not fit; its `status_code` is a 4xx and its message names the field.
    """
    columns = parse_request(input_data.body, input_data.content_type, model.signature)
    answered = model.estimator.answers(model.transformer.encode(columns))
    return Prediction(answers=model.calibration.apply(answered), threshold=model.signature.threshold)


def output_fn(prediction: Prediction, accept: str | None) -> str:
    """Write the answer in the first form that the caller accepts; text/csv when any will do.

    Raises:
        RequestError: The caller accepts none of the forms (406).
    """
    for kind in (accept or "*/*").split(","):
        kind = kind.split(";")[0].strip().lower()
        if kind in (CSV, "*/*", "text/*"):
            return "\n".join(map(shown, prediction.answers)) + "\n"
        if kind == JSON:
            return json.dumps({"predictions": _described(prediction)})
        if kind in (JSON_LINES, "application/x-jsonlines"):
            return "\n".join(map(json.dumps, _described(prediction))) + "\n"
    raise RequestError(f"accept {accept!r} is not one of {CSV}, {JSON}, {JSON_LINES}", status_code=406)


def shown(answer: np.float32 | float) -> str:
    """An answer with as many digits as bring the same 32-bit number back."""
    return f"{answer:.9g}"


def _described(prediction: Prediction) -> list[dict[str, float | int]]:
    if prediction.threshold is None:
        return [{"value": float(shown(answer))} for answer in prediction.answers]
    return [
        {"probability": float(shown(answer)), "label": int(answer >= prediction.threshold)}
        for answer in prediction.answers
    ]
