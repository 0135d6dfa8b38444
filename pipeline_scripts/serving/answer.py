"""The forms of an answer: what the caller's Accept header asks for, and how a prediction is written.

`text/csv` is one probability or number a line; `application/json` and `application/jsonlines` hold an object a row,
with the label beside the probability. `attributions=N` behind either of the latter adds, to every row, what its N most
influential features add to the margin, what all `others` add together, and the `base` that all rows share: summed, they
are the margin, which is the log-odds before calibration, or the number that a regression expects.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline_scripts.serving.errors import RequestError
from pipeline_scripts.serving.request import CSV, JSON, JSON_LINES

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Form:
    """How to answer: as which type, and with how many attributions a row."""

    kind: Literal["text/csv", "application/json", "application/jsonlines"]
    attributions: int = 0


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """What every feature adds to each row's margin, in the order of `features`, and the base value."""

    features: tuple[str, ...]
    values: Values
    base: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The answer a row: the probability of the positive outcome, with the threshold of the label 1, or a number."""

    answers: npt.NDArray[np.float32]
    threshold: float | None
    attribution: Attribution | None = None

    @property
    def labels(self) -> list[bool]:
        """Whether each row is labelled 1; none of a regression, which has no labels."""
        return [] if self.threshold is None else (self.answers >= self.threshold).tolist()


_DIGITS = ".9g"  # as many as bring the same 32-bit number back
_KINDS: Mapping[str, Literal["text/csv", "application/json", "application/jsonlines"]] = {
    "text/csv": "text/csv",
    "text/*": "text/csv",
    "*/*": "text/csv",
    "application/json": "application/json",
    "application/jsonlines": "application/jsonlines",
    "application/x-jsonlines": "application/jsonlines",
}


@lru_cache(maxsize=64)
def read_accept(accept: str | None) -> Form:
    """The first form that the caller accepts; text/csv when any will do.

    Raises:
        RequestError: The caller accepts none of the forms, or asks for attributions that cannot be given (406).
    """
    for choice in (accept or "*/*").split(","):
        name, *parameters = (part.strip().lower() for part in choice.split(";"))
        if name in _KINDS:
            return Form(kind=_KINDS[name], attributions=_attributions(parameters, _KINDS[name]))
    raise RequestError(f"accept {accept!r} is not one of {CSV}, {JSON}, {JSON_LINES}", status_code=406)


def _attributions(parameters: list[str], kind: str) -> int:
    given = dict(parameter.partition("=")[::2] for parameter in parameters).get("attributions")
    if given is None:
        return 0
    if not (given.isascii() and given.isdigit() and int(given[:9]) > 0):
        raise RequestError(f"attributions={given} is no number of features; write 1 or more", status_code=406)
    if kind == CSV:
        raise RequestError(f"attributions are given as {JSON} or {JSON_LINES}, not as {CSV}", status_code=406)
    return int(given[:9])


def write(prediction: Prediction, form: Form) -> str:
    """The body of the answer."""
    if form.kind == CSV:
        return "\n".join(map(shown, prediction.answers.tolist())) + "\n"
    rows = _described(prediction, form.attributions)
    return f'{{"predictions": [{", ".join(rows)}]}}' if form.kind == JSON else "\n".join(rows) + "\n"


def shown(answer: np.float32 | float) -> str:
    """An answer as text that reads as the same 32-bit number."""
    return f"{answer:{_DIGITS}}"


def _described(prediction: Prediction, most: int) -> list[str]:
    """An object a row. Written by hand: `json.dumps` takes four times as long."""
    answers = prediction.answers.tolist()
    if prediction.threshold is None:
        rows = [f'"value": {answer:{_DIGITS}}' for answer in answers]
    else:
        pairs = zip(answers, prediction.labels, strict=True)
        rows = [f'"probability": {answer:{_DIGITS}}, "label": {label:d}' for answer, label in pairs]
    if prediction.attribution is not None:
        attributed = _attributed(prediction.attribution, most)
        rows = [f"{row}, {more}" for row, more in zip(rows, attributed, strict=True)]
    return [f"{{{row}}}" for row in rows]


def _attributed(attribution: Attribution, most: int) -> Iterator[str]:
    for values in attribution.values:
        order = np.argsort(-np.abs(values), kind="stable")
        named = {attribution.features[place]: float(values[place]) for place in order[:most]}
        others = float(values[order[most:]].sum())
        yield json.dumps({"attributions": named, "others": others, "base": attribution.base})[1:-1]
