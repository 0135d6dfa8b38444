"""Which rows a version never learnt from, and whether another version did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class HoldOut:
    """What decides which rows are held out; see `pipeline_scripts.training.split`. It travels in the artefact.

    `key` names the columns that tell one row from another, `fraction` is the share of rows that are held out.
    """

    seed: int
    fraction: float
    key: tuple[str, ...]

    def leak(self, earlier: "HoldOut") -> str | None:
        """Why a version that held out the `earlier` rows may have learnt from some of these; None if it cannot have.

        The place of a row between 0 and 1 follows from seed and key alone, and those below the fraction are held out.
        So with the same seed and key, the smaller hold-out is a part of the larger one.
        """
        if earlier.key != self.key:
            return f"its rows were told apart by {', '.join(earlier.key)}, and not by {', '.join(self.key)}"
        if earlier.seed != self.seed:
            return f"its seed was {earlier.seed}, and not {self.seed}"
        if earlier.fraction < self.fraction:
            return f"it held out {earlier.fraction:g} of the rows, and not {self.fraction:g}"
        return None

    def to_json(self) -> dict[str, Any]:
        """The hold-out as JSON."""
        return {"seed": self.seed, "fraction": self.fraction, "key": list(self.key)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "HoldOut":
        """Read back what `to_json` wrote."""
        return cls(seed=content["seed"], fraction=content["fraction"], key=tuple(content["key"]))
