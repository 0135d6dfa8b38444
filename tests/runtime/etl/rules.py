"""A model whose curated columns are of every type, with rules of a test's own."""

from dataclasses import replace
from functools import cache
from typing import Any

from baton.specification import columns as specified
from baton.specification.model import ModelSpecification
from baton.specification.quality import Quality
from pipeline_scripts.model import Column, Model
from stacks.settings import load_models
from tests.runtime.etl.workbench import COLUMNS, REPO, model_of

KINDS = {
    "ref": "integer",
    "score": "integer",
    "amount": "double",
    "gender": "string",
    "day": "date",
    "at": "timestamp",
}
SCHEMA = "ref bigint, score bigint, amount double, gender string, day date, at timestamp"


@cache
def specification() -> ModelSpecification:
    """The sample model with these columns."""
    columns = {
        name.upper(): specified.Column.model_validate({"type": kind, "treatment": "keep", "output": name})
        for name, kind in KINDS.items()
    }
    model = load_models([REPO / "config/models/bank_churn.yaml"], [])[0]
    return model.model_copy(update={"columns": columns})


@cache
def model() -> Model:
    """The same as it reaches the job."""
    columns = tuple(Column(name=name.upper(), type=kind, treatment="keep", output=name) for name, kind in KINDS.items())
    return replace(model_of(COLUMNS), columns=columns)


def model_with(*rules: dict[str, Any], **quality: Any) -> Model:
    """The rules as they reach the job: through the specification's JSON."""
    content = Quality.model_validate({"rules": rules, **quality}).model_dump(mode="json")
    return replace(model(), settings={**model().settings, "quality": content})


def specification_with(*rules: dict[str, Any]) -> ModelSpecification:
    """The same rules as the infrastructure knows them."""
    return specification().model_copy(update={"quality": Quality.model_validate({"rules": rules})})
