"""The hooks of the SageMaker XGBoost container's script mode: load a version, and answer a request with it.

Training copies this file into the artefact as `code/inference.py`, with the package it needs beside it, so a version
serves itself with the very code it was trained with. What a request may be, see `pipeline_scripts.serving.request`;
what is answered, see `pipeline_scripts.serving.answer`.

One hook answers, instead of three, because only so it knows what the caller accepts when it predicts, and can return a
refusal (see `pipeline_scripts.serving.errors`).
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

from pipeline_scripts.serving.answer import Attribution, Form, Prediction, read_accept, write
from pipeline_scripts.serving.calibration import Calibration
from pipeline_scripts.serving.errors import RequestError, refused
from pipeline_scripts.serving.estimator import Estimator, read_estimator
from pipeline_scripts.serving.metrics import Metrics
from pipeline_scripts.serving.request import Columns, parse_request
from pipeline_scripts.serving.signature import Signature
from pipeline_scripts.serving.transformer import Transformer

ENDPOINT_VARIABLE = "BATON_ENDPOINT_NAME"


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A loaded version: what was learnt, and what turns a request into its columns and its answers into promises."""

    estimator: Estimator
    calibration: Calibration
    transformer: Transformer
    signature: Signature
    metrics: Metrics

    def predict(self, columns: Columns, form: Form) -> Prediction:
        """Score checked rows, and attribute the scores if the form asks for that."""
        matrix = self.transformer.encode(columns)
        attribution = None
        if form.attributions:
            by_column, base = self.estimator.contributions(matrix)
            features = tuple(feature.name for feature in self.transformer.features)
            attribution = Attribution(features=features, values=self.transformer.summed(by_column), base=base)
        return Prediction(
            answers=self.calibration.apply(self.estimator.answers(matrix)),
            threshold=self.signature.threshold,
            attribution=attribution,
        )


def model_fn(model_dir: str) -> ServedModel:
    """Load the version from its folder."""
    folder = Path(model_dir)
    signature = Signature.from_json(_read(folder / "signature.json"))
    return ServedModel(
        estimator=read_estimator(signature.algorithm, (folder / "model.json").read_bytes()),
        calibration=Calibration.from_json(_read(folder / "calibration.json")),
        transformer=Transformer.from_json(_read(folder / "transformer.json")),
        signature=signature,
        metrics=Metrics(endpoint=os.environ.get(ENDPOINT_VARIABLE)),
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def transform_fn(model: ServedModel, body: bytes | str, content_type: str | None, accept: str | None) -> Any:
    """Check a request against the version's signature, score its rows, and write the answer with its content type.

    Raises:
        RequestError: It cannot be answered; its `status_code` is a 4xx and its message names the field.
    """
    try:
        form = read_accept(accept)
        columns = parse_request(body, content_type, model.signature)
    except RequestError as error:
        model.metrics.refused()
        return refused(error)
    prediction = model.predict(columns, form)
    model.metrics.answered(prediction, unseen=model.signature.unseen(columns))
    return write(prediction, form), form.kind
