"""How groups of people are compared, before and after training."""

from collections.abc import Mapping
from itertools import product

from pydantic import Field

from baton.specification.base import ColumnName, Specification
from baton.specification.columns import Column

SEPARATOR = "*"
_CONDITIONS = ("string", "integer", "boolean")


class Fairness(Specification):
    """What is asked beyond one facet at a time.

    `intersections` are facets taken together, as women of one age. Nothing is told of a group of fewer rows than
    `smallest_group`. `condition_on` is the feature within whose values the conditional demographic disparity (CDDL,
    CDDPL) compares; without it there is none.
    """

    intersections: tuple[tuple[ColumnName, ...], ...] = ()
    smallest_group: int = Field(default=30, ge=2)
    condition_on: ColumnName | None = None

    def groups(self, facets: Mapping[str, tuple[str | int, ...]]) -> list[str]:
        """Every group that is compared, as the gate names it: `gender=Female`, or `gender*age_group=Female*60-69`."""
        families = [(facet,) for facet in facets] + list(self.intersections)
        return [
            f"{SEPARATOR.join(columns)}={SEPARATOR.join(map(str, values))}"
            for columns in families
            for values in product(*(facets[column] for column in columns))
        ]

    def misfit(
        self,
        *,
        facets: Mapping[str, tuple[str | int, ...]],
        features: tuple[str, ...],
        outputs: Mapping[str, Column],
    ) -> str | None:
        """Why this does not fit the model's facets and features: key and sentence; None when it does."""
        seen: set[frozenset[str]] = set()
        for together in self.intersections:
            columns = frozenset(together)
            strays = [column for column in together if column not in facets]
            if strays:
                return f"intersections: {strays[0]} is not among facets; list its values there"
            if len(columns) < 2 or len(columns) != len(together):
                return f"intersections: {list(together)} must be two facets or more, each once"
            if columns in seen:
                return f"intersections: {list(together)} stands there twice"
            seen.add(columns)
            for column in together:
                if any(SEPARATOR in str(value) for value in facets[column]):
                    return f"intersections: a value of {column} holds {SEPARATOR}, which stands between values"
        return self._condition_misfit(facets, features, outputs)

    def _condition_misfit(
        self, facets: Mapping[str, tuple[str | int, ...]], features: tuple[str, ...], outputs: Mapping[str, Column]
    ) -> str | None:
        column = self.condition_on
        if column is None:
            return None
        if column not in features:
            return f"condition_on: {column} is not among features, so no request to the endpoint carries it"
        if column in facets:
            return f"condition_on: {column} is a facet, and within one of its values there is nobody to compare"
        if outputs[column].curated_type not in _CONDITIONS:
            return f"condition_on: {column} is a {outputs[column].curated_type}; take a feature of a few values"
        return None
