"""What the analyses of a version hand to the gate and to the registry, whichever backend made them."""

from dataclasses import dataclass

from baton.training.references import Value
from baton.training.steps import Step


@dataclass(frozen=True, kw_only=True)
class Analyses:
    """Steps that describe data and model, and where their results lie.

    The first group are folders, which the gate reads; the second are files, which the registry points to.
    """

    steps: tuple[Step, ...]

    data_quality: Value
    bias: Value
    explainability: Value

    data_statistics: Value
    data_constraints: Value
    data_bias: Value
    model_bias: Value
    attributions: Value
