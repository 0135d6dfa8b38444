"""The model a script works for: read from the JSON that travels with the code, so that no script knows a column."""

import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

SECTIONS = (
    "fairness",
    "title",
    "owner",
    "card",
    "training",
    "gate",
    "serving",
    "monitoring",
    "quality",
    "dataset",
    "feature_store",
    "wrangler",
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One source column and what becomes of it before it reaches the curated zone."""

    name: str
    type: str
    treatment: str
    output: str | None
    bands: tuple[int, ...] | None = None
    prefix: int | None = None
    domain: str | None = None
    free_text: bool = False
    may_look_like: tuple[str, ...] = ()

    @property
    def curated_type(self) -> str:
        """The type it has after its treatment: an ordinal is a number, a band and a hash are text."""
        if self.treatment == "surrogate":
            return "integer"
        return "string" if self.treatment in ("generalise", "keyed_hash") else self.type


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model's specification. `settings` holds the sections that only one script each reads, as in the YAML."""

    name: str
    problem: str
    key: str
    source: dict[str, Any]
    columns: tuple[Column, ...]
    features: tuple[str, ...]
    target: str
    positive: int | str | None
    favourable_above: float | None
    facets: dict[str, tuple[Any, ...]]
    settings: dict[str, Any]

    @property
    def inputs(self) -> tuple[str, ...]:
        """What a request carries: the features, then the facets that are not features."""
        return (*self.features, *(facet for facet in self.facets if facet not in self.features))

    @property
    def regression(self) -> bool:
        """Is the answer a number of the target's own kind, instead of a probability?"""
        return self.problem == "regression"

    @property
    def label_value_or_threshold(self) -> str:
        """What counts as the favourable outcome, as Clarify writes it: a value, or the exclusive lower bound."""
        return str(self.favourable_above if self.regression else self.positive)

    def kind(self, output: str) -> str:
        """The type a curated column has: its source's, or string where a treatment made it text.

        Raises:
            KeyError: No column has this output name.
        """
        for column in self.columns:
            if column.output == output:
                return column.curated_type
        raise KeyError(f"{self.name}: no column has the output {output!r}")


def parse_model(content: dict[str, Any]) -> Model:
    """Build a model from its specification's JSON."""
    columns = tuple(
        Column(
            name=name,
            type=column["type"],
            treatment=column["treatment"],
            output=column["output"],
            bands=tuple(column["bands"]) if column["bands"] else None,
            prefix=column["prefix"],
            domain=column["domain"],
            free_text=column["free_text"],
            may_look_like=tuple(column["may_look_like"]),
        )
        for name, column in content["columns"].items()
    )
    return Model(
        name=content["name"],
        problem=content["problem"],
        key=content["source"]["key"],
        source=content["source"],
        columns=columns,
        features=tuple(content["features"]),
        target=content["target"]["column"],
        positive=content["target"]["positive"],
        favourable_above=content["target"]["favourable_above"],
        facets={name: tuple(values) for name, values in content["facets"].items()},
        settings={section: content[section] for section in SECTIONS},
    )


def load_model() -> Model:
    """Read the model beside this file, in a folder or in the zip that ships it.

    `BATON_MODEL_JSON` names another file.

    Raises:
        FileNotFoundError: There is no such file.
    """
    override = os.environ.get("BATON_MODEL_JSON")
    if override:
        return parse_model(json.loads(Path(override).read_text(encoding="utf-8")))
    return parse_model(
        json.loads(resources.files("pipeline_scripts").joinpath("model.json").read_text(encoding="utf-8"))
    )
