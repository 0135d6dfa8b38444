"""How an endpoint with an online explainer answers: every answer is wrapped, with an explanation of each row or none.

See:
    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-online-explainability-invoke-endpoint.html
"""

import json
import math
from typing import Any

from pipeline_scripts.functions.reconcile_proof import Disproved, Unexplained

NEVER, ALWAYS = "`false`", "`true`"
"""JMESPath: which rows of one request to explain, whatever the endpoint explains unasked."""


def plain_answer(wrapped: bytes) -> bytes:
    """What the model answered.

    Raises:
        Disproved: It is not wrapped as an explainer does it.
    """
    data = _member(_content(wrapped), "predictions", "data")
    if not isinstance(data, str):
        raise Disproved("the endpoint should explain, but its answer to the canary holds no predictions")
    return data.encode()


def check_explanation(wrapped: bytes, *, inputs: str) -> None:
    """Check that the one row of an answer is explained, by a number for each input.

    Args:
        wrapped: The answer.
        inputs: The names of the inputs and their types, as the stack's parameter holds them.

    Raises:
        Unexplained: It is not.
    """
    names = inputs.partition(";")[0].split(",")
    rows = _member(_content(wrapped), "explanations", "kernel_shap")
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], list):
        raise Unexplained("the canary was answered without the explanation that was asked for")
    [explained] = rows
    if len(explained) != len(names):
        raise Unexplained(f"the canary was explained by {len(explained)} attributions, its inputs are {len(names)}")
    for name, entry in zip(names, explained, strict=True):
        if not _is_attribution(entry):
            raise Unexplained(f"the canary's explanation holds no number for {name}")


def _is_attribution(entry: Any) -> bool:
    match entry:
        case {"attributions": [{"attribution": [int() | float() as number]}]}:
            return math.isfinite(number)
    return False


def _content(wrapped: bytes) -> Any:
    try:
        return json.loads(wrapped)
    except ValueError as error:
        raise Disproved("the endpoint should explain, but its answer to the canary is no JSON") from error


def _member(content: Any, *names: str) -> Any:
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content
