"""Whether an endpoint explains its own answers."""

from collections.abc import Sequence
from typing import Annotated

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, StringConstraints

from baton.specification.base import Specification

SKEWED = ("positive_share", "mean_answer", "unseen_categories")
"""Limits on what the container counted. It cannot tell the explainer's questions from those of callers."""

MOST_INPUTS, MOST_CHARACTERS = 125, 4096
"""Of a version that Clarify explains, and of the stack parameter that tells it their names and types."""


def _jmespath(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"{expression} is no JMESPath; an example is [0] > `0.5`") from error
    return expression


class Explainer(Specification):
    """SageMaker Clarify beside the model: which rows it explains unasked, and how closely.

    `rows` is a JMESPath expression over an answer's line, a list of one number: no row unless told. A caller may ask
    for another choice with each request. `samples` is how many questions an explanation may cost the model; `seed`
    makes it repeatable.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-online-explainability-create-endpoint.html
    """

    rows: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_jmespath)] = "`false`"
    samples: int = Field(default=500, ge=1, le=100_000)
    seed: int = Field(default=1, ge=0, le=2**31 - 1)

    def misfit(self, inputs: Sequence[str]) -> str | None:
        """What of the inputs is too much to explain; None if nothing."""
        if len(inputs) > MOST_INPUTS:
            return f"Clarify explains at most {MOST_INPUTS} inputs, there are {len(inputs)}"
        if sum(len(f"{name},categorical,") for name in inputs) > MOST_CHARACTERS:
            return f"the names of the inputs and their types have to fit into {MOST_CHARACTERS} characters"
        return None
