"""SageMaker Clarify's online explainer: a wrapped answer, with Kernel SHAP attributions of the rows to explain.

Requests and answers are CSV here; the service also takes JSON Lines.
"""

import csv
import io
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jmespath
import numpy as np
import numpy.typing as npt
from botocore.exceptions import BotoCoreError, ClientError
from jmespath.exceptions import JMESPathError

from embedded.compute.invocation import Request
from embedded.compute.job import ClientFactory, JobRefused
from embedded.compute.model_server import Reply
from embedded.compute.object_store import read_object
from embedded.compute.served_model import EndpointFailure

Post = Callable[[Request], tuple[Reply, int | None]]
Row = list[str]

_SEEDED = threading.Lock()
"""Held while an explanation draws: Kernel SHAP knows no other source of chance than numpy's one for all threads."""


class NotExplained(Exception):
    """A request that the explainer does not take."""


class _Failed(Exception):
    """The model did not answer one of the explainer's own questions; its reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """An endpoint configuration's explainer.

    Attributes:
        rows: The JMESPath expression that chooses whom to explain.
        baseline: The records to compare with.
        names: The inputs' names, if they were given.
        index: Which column of an answer is explained.
        samples: The most questions for a row and record of the baseline; None takes Clarify's default.
        seed: With which it draws its questions, where it may not ask all; None takes chance as it comes.
        at_a_time: The most rows in one request to the model.
        logit: Whether to explain log-odds instead of the answer itself.
    """

    rows: str
    baseline: Sequence[Row]
    names: Sequence[str]
    index: int
    samples: int | None
    seed: int | None
    at_a_time: int
    logit: bool

    @classmethod
    def of(cls, config: Mapping[str, Any] | None, *, client: ClientFactory) -> "Explainer | None":
        """Read an `ExplainerConfig` and its baseline; None where there is none.

        Raises:
            EndpointFailure: The baseline cannot be read, or does not fit the inputs that are named; or the expression
                is none.
        """
        if not config:
            return None
        declared = config["ClarifyExplainerConfig"]
        inference, shapley = declared.get("InferenceConfig", {}), declared["ShapConfig"]
        names = inference.get("FeatureHeaders", [])
        rows = declared.get("EnableExplanations", "`true`")
        try:
            jmespath.compile(rows)
        except JMESPathError as error:
            raise EndpointFailure(f"EnableExplanations is no JMESPath expression: {rows}") from error
        return cls(
            rows=rows,
            baseline=_baseline(shapley["ShapBaselineConfig"], names=names, client=client),
            names=names,
            index=inference.get("ProbabilityIndex", 0),
            samples=shapley.get("NumberOfSamples"),
            seed=shapley.get("Seed"),
            at_a_time=inference.get("MaxRecordCount", 1),
            logit=shapley.get("UseLogit", False),
        )

    def post(self, request: Request, post: Post) -> tuple[Reply, int | None]:
        """Ask the model what its caller asks, and then as often as the explanation takes.

        Raises:
            NotExplained: The request is of a form that cannot be explained.
        """
        for name, kind in (("ContentType", request.content_type), ("Accept", request.accept or "")):
            if kind.partition(";")[0].strip() != "text/csv":
                raise NotExplained(f"{name} must be text/csv where an endpoint explains, got {kind or 'none'}.")
        reply, setup_us = post(request)
        if reply.status >= 400:
            return reply, setup_us
        chosen = [self._is_chosen(line, request.explanations) for line in _rows(reply.body)]
        try:
            explanations = self._explanations(request, chosen, post) if any(chosen) else {}
        except _Failed as failure:
            return failure.reply, setup_us
        content = {
            "version": "1.0",
            "predictions": {"content_type": reply.content_type, "data": reply.body.decode()},
            "explanations": explanations,
        }
        headers = {**reply.headers, "content-type": "application/json"}
        return replace(reply, headers=headers, body=json.dumps(content).encode()), setup_us

    def _is_chosen(self, line: Row, asked: str | None) -> bool:
        try:
            chosen = jmespath.search(asked or self.rows, [_number(text) for text in line])
        except JMESPathError:
            chosen = None
        if not isinstance(chosen, bool):
            raise NotExplained(f"EnableExplanations must be true or false of each row, {asked or self.rows} is not.")
        return chosen

    def _explanations(self, request: Request, chosen: Sequence[bool], post: Post) -> dict[str, Any]:
        rows = _rows(request.body)
        if len(rows) != len(chosen):
            raise NotExplained(f"The request has {len(rows)} rows and its answer {len(chosen)}; leave out its header.")
        choice = zip(rows, chosen, strict=True)
        return {"kernel_shap": [self._explain(row, request, post) if wanted else None for row, wanted in choice]}

    def _explain(self, row: Row, request: Request, post: Post) -> list[dict[str, Any]]:
        """By the game that Kernel SHAP plays: each input is the row's own, or that of a record of the baseline."""
        import shap  # takes seconds, and most endpoints explain nothing

        inputs = len(row)

        def play(coalitions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            asked = [
                [own if there else other for own, other, there in zip(row, record, coalition, strict=True)]
                for record in self.baseline
                for coalition in coalitions
            ]
            answers = self._answers(asked, request, post).reshape(len(self.baseline), -1)
            means: npt.NDArray[np.float64] = answers.mean(axis=0)
            return means

        kernel = shap.KernelExplainer(play, np.zeros((1, inputs)), link="logit" if self.logit else "identity")
        samples = min(self.samples or 2 * inputs + 2**11, 2**inputs - 2)
        with _SEEDED:
            np.random.seed(self.seed)
            values = kernel.shap_values(np.ones(inputs), nsamples=samples, l1_reg=False, silent=True)
        headers = [{"feature_header": name} for name in self.names] or [{} for _ in row]
        return [
            {**header, "attributions": [{"attribution": [float(value)]}]}
            for header, value in zip(headers, values, strict=True)
        ]

    def _answers(self, rows: Sequence[Row], request: Request, post: Post) -> npt.NDArray[np.float64]:
        found: list[float] = []
        for start in range(0, len(rows), self.at_a_time):
            body = io.StringIO(newline="")
            csv.writer(body, lineterminator="\n").writerows(rows[start : start + self.at_a_time])
            reply, _ = post(replace(request, body=body.getvalue().encode(), inference_id=None))
            if reply.status >= 400:
                raise _Failed(reply)
            found.extend(float(line[self.index]) for line in _rows(reply.body))
        return np.asarray(found)


def _baseline(config: Mapping[str, Any], *, names: Sequence[str], client: ClientFactory) -> Sequence[Row]:
    given, uri = config.get("ShapBaseline"), config.get("ShapBaselineUri", "")
    try:
        rows = _rows(given.encode() if given else read_object(client("s3"), uri=uri))
    except (BotoCoreError, ClientError, JobRefused) as error:
        raise EndpointFailure(f"The SHAP baseline {uri} cannot be read: {error}") from error
    if not rows:
        raise EndpointFailure("The SHAP baseline is empty.")
    if names and any(len(row) != len(names) for row in rows):
        raise EndpointFailure(f"The SHAP baseline must have {len(names)} columns, one for each of FeatureHeaders.")
    return rows


def _rows(content: bytes) -> list[Row]:
    return [row for row in csv.reader(io.StringIO(content.decode(), newline="")) if row]


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text
