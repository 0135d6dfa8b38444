"""What a version accepts and answers: the inputs of a request, in order, and how a probability becomes a label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import filterfalse
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Input:
    """One value of a request. `feature` is false for what is only captured, so that bias can be watched.

    `categories` are those seen in training; another one is accepted and counts as unknown.
    """

    name: str
    type: str
    feature: bool
    categories: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a request to a version carries, which algorithm answers, and how its answer becomes a label.

    The answer of a regression is a number already: it has neither `positive` nor `threshold`.
    """

    model: str
    problem: str
    algorithm: str
    inputs: tuple[Input, ...]
    target: str
    positive: int | str | None
    threshold: float | None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The inputs' names in the order in which a CSV request carries them."""
        return tuple(item.name for item in self.inputs)

    def unseen(self, columns: Mapping[str, Sequence[Any]]) -> int:
        """How many values of the columns are categories that training never saw; a missing value is none."""
        return sum(1 for name, known in self._known for _ in filterfalse(known.__contains__, columns[name]))

    @cached_property
    def _known(self) -> tuple[tuple[str, frozenset[str | None]], ...]:
        return tuple(
            (item.name, frozenset((None, *item.categories))) for item in self.inputs if item.categories is not None
        )

    def to_json(self) -> dict[str, Any]:
        """The signature as JSON."""
        return {
            "version": "1.0",
            "model": self.model,
            "problem": self.problem,
            "algorithm": self.algorithm,
            "inputs": [
                {
                    "name": item.name,
                    "type": item.type,
                    "feature": item.feature,
                    "categories": None if item.categories is None else list(item.categories),
                }
                for item in self.inputs
            ],
            "target": {"column": self.target, "positive": self.positive},
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Signature":
        """Read back what `to_json` wrote."""
        return cls(
            model=content["model"],
            problem=content["problem"],
            algorithm=content["algorithm"],
            inputs=tuple(
                Input(
                    name=item["name"],
                    type=item["type"],
                    feature=item["feature"],
                    categories=None if item["categories"] is None else tuple(item["categories"]),
                )
                for item in content["inputs"]
            ),
            target=content["target"]["column"],
            positive=content["target"]["positive"],
            threshold=content["threshold"],
        )
