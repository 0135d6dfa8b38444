"""From raw inputs to the numbers a model sees: one definition for training, evaluation, analyses and serving.

What is missing or was never seen in training gets one fixed answer here, so that it means the same everywhere:

* a missing number, or a missing or unknown ordered category, becomes the fill value fitted in training (the median);
* a missing or unknown unordered category belongs to none of the known ones: all its columns are 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise, starmap
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


class RawColumns(Protocol):
    """Raw values by name: a mapping of sequences, or a frame."""

    def __getitem__(self, name: str, /) -> Any:
        """The values of one input."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """How one feature becomes columns.

    `number` is itself, `ordinal` is the category's place in their order, `one_hot` is one column a category.
    """

    name: str
    encoding: Literal["number", "ordinal", "one_hot"]
    categories: tuple[str, ...] = ()
    fill: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns it becomes."""
        if self.encoding == "one_hot":
            return tuple(f"{self.name}={category}" for category in self.categories)
        return (self.name,)

    def encode(self, values: Sequence[Any], block: Matrix) -> None:
        """Write raw values into a block as wide as `columns`; a missing number becomes NaN."""
        places = self._places
        if self.encoding == "number":
            block[:, 0] = np.asarray(values, dtype=np.float64)
        elif self.encoding == "ordinal":
            fill = self.fill
            block[:, 0] = [places.get(value, fill) for value in values]
        else:
            found = np.array([places.get(value, -1) for value in values])
            block[:] = found[:, np.newaxis] == np.arange(len(places))

    @cached_property
    def _places(self) -> Mapping[Any, int]:
        return {category: place for place, category in enumerate(self.categories)}


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """Every feature's encoding, in the order in which the model's columns lie."""

    features: tuple[Feature, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the model's columns."""
        return tuple(column for feature in self.features for column in feature.columns)

    @property
    def owners(self) -> tuple[int, ...]:
        """For every column, the place of the feature it came from."""
        return tuple(place for place, feature in enumerate(self.features) for _ in feature.columns)

    def encode(self, values: RawColumns) -> Matrix:
        """Turn raw values, a sequence (or frame column) a feature, into the model's matrix.

        Raises:
            KeyError: A feature is not among `values`.
        """
        raw = [values[feature.name] for feature in self.features]
        matrix = np.empty((len(raw[0]), len(self._fills)), dtype=np.float32)
        for feature, block, given in zip(self.features, self._blocks, raw, strict=True):
            feature.encode(given, matrix[:, block])
        missing = np.isnan(matrix)
        return np.where(missing, self._fills, matrix) if missing.any() else matrix

    def summed(self, by_column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sum what columns contribute to what the features do that they came from."""
        return np.add.reduceat(by_column, [block.start for block in self._blocks], axis=1)

    @cached_property
    def _blocks(self) -> tuple[slice, ...]:
        """Where every feature's columns lie."""
        bounds = accumulate((len(feature.columns) for feature in self.features), initial=0)
        return tuple(starmap(slice, pairwise(bounds)))

    @cached_property
    def _fills(self) -> Matrix:
        """What a missing number becomes, a value a column."""
        return np.array([feature.fill for feature in self.features for _ in feature.columns], dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """The fitted values as JSON."""
        return {
            "version": "1.0",
            "features": [
                {"name": item.name, "encoding": item.encoding, "categories": list(item.categories), "fill": item.fill}
                for item in self.features
            ],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Transformer":
        """Read back what `to_json` wrote."""
        return cls(
            features=tuple(
                Feature(
                    name=item["name"],
                    encoding=item["encoding"],
                    categories=tuple(item["categories"]),
                    fill=float(item["fill"]),
                )
                for item in content["features"]
            )
        )
