"""A model whose curated columns are of every type, with rules of a test's own."""

from dataclasses import replace
from typing import Any

from baton.specification.quality import Quality
from pipeline_scripts.model import Column, Model
from tests.runtime.etl.workbench import COLUMNS, model_of

KINDS = {
    "ref": "integer",
    "score": "integer",
    "amount": "double",
    "gender": "string",
    "day": "date",
    "at": "timestamp",
}
SCHEMA = "ref bigint, score bigint, amount double, gender string, day date, at timestamp"


def model_with(*rules: dict[str, Any], **quality: Any) -> Model:
    """The rules as they reach the job: through the specification's JSON."""
    content = Quality.model_validate({"rules": rules, **quality}).model_dump(mode="json")
    columns = tuple(Column(name=name.upper(), type=kind, treatment="keep", output=name) for name, kind in KINDS.items())
    model = model_of(COLUMNS)
    return replace(model, columns=columns, settings={**model.settings, "quality": content})
