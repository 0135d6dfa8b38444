"""What a comparison of two versions says, for those who write it and those who read it.

Apart from the comparing itself, which needs SciPy and scikit-learn: whoever reads evidence need not have them.
"""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Both versions' metric, and the difference, challenger less champion.

    `low` is below the true difference with `confidence`; so is `high` above it. `p_value` is the share of redrawn
    samples in which the challenger loses more than `max_loss`: below 1 - `confidence` just when `low` is within it.
    """

    metric: str
    challenger: float
    champion_value: float
    difference: float
    low: float
    high: float
    confidence: float
    max_loss: float
    p_value: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return asdict(self)
