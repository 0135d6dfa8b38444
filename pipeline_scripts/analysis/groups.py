"""The groups that are compared with everybody else, and which of them are too small to tell of.

A group is a listed value of a facet, or of several facets taken together: `gender*age_group` is then the facet and
`Female*60-69` the value. Nothing is said of a group of fewer rows than `fairness.smallest_group`, or that leaves fewer
outside it. That is not enough: a size is also known when it follows from the others by adding and subtracting, as the
last value of a facet does. So the smallest groups that it follows from are withheld too, until none does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline_scripts.model import Model

BETWEEN = "*"
"""What stands between the facets, and between the values, of groups by several facets."""

Rows = npt.NDArray[np.bool_]
_NEGLIGIBLE = 1e-6  # of sums and differences with small whole coefficients


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """One group: a value of each of its columns."""

    members: tuple[tuple[str, str], ...]

    @property
    def facet(self) -> str:
        """The name of the facet, or of the facets taken together."""
        return BETWEEN.join(column for column, _ in self.members)

    @property
    def value(self) -> str:
        """The value, or the values in the order of the facets."""
        return BETWEEN.join(value for _, value in self.members)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that make the group."""
        return frozenset(column for column, _ in self.members)

    def among(self, rows: pd.DataFrame) -> Rows:
        """Which rows are of the group."""
        held = [np.asarray(rows[column].astype(str) == value, dtype=bool) for column, value in self.members]
        among: Rows = np.all(held, axis=0)
        return among


def subgroups(model: Model) -> tuple[Subgroup, ...]:
    """Every group of the model: its facets' values first, then its intersections'."""
    return tuple(
        Subgroup(members=tuple(zip(columns, map(str, values), strict=True)))
        for columns in _families(model)
        for values in product(*(model.facets[column] for column in columns))
    )


def compared(model: Model) -> dict[str, tuple[str, ...]]:
    """The values of every facet and intersection, as they stand in a bias report."""
    values: dict[str, tuple[str, ...]] = {}
    for group in subgroups(model):
        values[group.facet] = (*values.get(group.facet, ()), group.value)
    return values


def _families(model: Model) -> Iterator[tuple[str, ...]]:
    yield from ((facet,) for facet in model.facets)
    yield from map(tuple, model.settings["fairness"]["intersections"])


def withheld(rows: pd.DataFrame, model: Model) -> frozenset[Subgroup]:
    """The groups of which nothing may be told: those that are too small, and those that would give one away."""
    smallest = model.settings["fairness"]["smallest_group"]
    census = _Census(rows, model)
    shown = []
    for group in subgroups(model):
        size = int(census.sizes[census.cells_of(group)].sum())
        if size >= smallest and len(rows) - size >= smallest:
            shown.append(group)
    protected = census.small_cells(model, smallest)
    while telling := _telling(census, shown, protected):
        shown.remove(telling)
    return frozenset(subgroups(model)) - frozenset(shown)


class _Census:
    """How many rows hold each combination of listed values; what is not listed is one further value of its facet."""

    def __init__(self, rows: pd.DataFrame, model: Model) -> None:
        self._listed = {facet: list(map(str, values)) for facet, values in model.facets.items()}
        codes = [
            pd.Categorical(rows[facet].astype(str), categories=values).codes for facet, values in self._listed.items()
        ]
        self._cells, self.sizes = np.unique(np.column_stack(codes), axis=0, return_counts=True)

    def cells_of(self, group: Subgroup) -> Rows:
        """Which combinations make up the group."""
        return self._cells_at({column: self._listed[column].index(value) for column, value in group.members})

    def small_cells(self, model: Model, smallest: int) -> list[Rows]:
        """Every small part of the rows that a facet or an intersection divides them into, unlisted values included."""
        parts = (
            self._cells_at(dict(zip(columns, codes, strict=True)))
            for columns in _families(model)
            for codes in product(*(range(-1, len(self._listed[column])) for column in columns))
        )
        return [part for part in parts if 0 < self.sizes[part].sum() < smallest]

    def _cells_at(self, codes: dict[str, int]) -> Rows:
        places = list(self._listed)
        held: Rows = np.all([self._cells[:, places.index(column)] == code for column, code in codes.items()], axis=0)
        return held


def _telling(census: _Census, shown: list[Subgroup], protected: list[Rows]) -> Subgroup | None:
    """The smallest shown group that a protected one follows from; None when none follows."""
    known = np.array([np.ones(len(census.sizes)), *map(census.cells_of, shown)], dtype=np.float64)
    for part in protected:
        weights, *_ = np.linalg.lstsq(known.T, part.astype(np.float64), rcond=None)
        follows = np.abs(weights @ known - part).max() < _NEGLIGIBLE
        used = [group for group, weight in zip(shown, weights[1:], strict=True) if abs(weight) > _NEGLIGIBLE]
        if follows and used:
            return min(used, key=lambda group: _size(census, group))
    return None


def _size(census: _Census, group: Subgroup) -> Any:
    return census.sizes[census.cells_of(group)].sum(), group.facet, group.value
