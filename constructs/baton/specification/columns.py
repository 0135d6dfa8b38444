"""The source's columns, and what becomes of them before anyone downstream may read them."""

from typing import Literal

from pydantic import Field, model_validator

from baton.specification.base import ColumnName, Specification

PatternKind = Literal["iban", "payment_card", "email", "phone", "national_id"]
"""What a kept text may look like; named as `pipeline_scripts.etl.patterns` names them."""


class Column(Specification):
    """One source column and what becomes of it before anyone downstream may read it.

    `drop` leaves it out; `keyed_hash` replaces it by an HMAC; `surrogate` by a stable ordinal whose vault is
    locked away, shared by all columns of one `domain`; `generalise` by a band (`bands`: lower bounds, of a number or
    of an age in years) or by the first `prefix` characters; `keep` passes it on. `output` is its name in the curated
    zone. A kept text is searched for whole personal values; with `free_text` also for those in the middle of it.
    `may_look_like` names patterns of personal data that its values are known to meet by chance.
    """

    type: Literal["integer", "double", "string", "date", "timestamp", "boolean"]
    treatment: Literal["drop", "keyed_hash", "surrogate", "generalise", "keep"]
    output: ColumnName | None = None
    bands: tuple[int, ...] | None = None
    prefix: int | None = Field(default=None, ge=1, le=32)
    domain: ColumnName | None = None
    free_text: bool = False
    may_look_like: tuple[PatternKind, ...] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> "Column":
        if (self.output is None) != (self.treatment == "drop"):
            raise ValueError("every treatment but drop needs an output name, and drop takes none")
        if (self.treatment == "generalise") != (self.bands is not None or self.prefix is not None):
            raise ValueError("generalise, and only generalise, takes bands or prefix")
        if self.bands is not None and (self.prefix is not None or list(self.bands) != sorted(set(self.bands))):
            raise ValueError("bands must rise, and exclude prefix")
        if self.bands is not None and self.type not in ("integer", "double", "date"):
            raise ValueError("bands apply to integer, double and date columns")
        return self

    @model_validator(mode="after")
    def _says_only_what_is_read(self) -> "Column":
        if self.domain is not None and self.treatment != "surrogate":
            raise ValueError("domain is of surrogates alone")
        kept_text = self.treatment == "keep" and self.type == "string"
        if (self.free_text or self.may_look_like) and not kept_text:
            raise ValueError("free_text and may_look_like are of kept text alone")
        return self

    @property
    def curated_type(self) -> str:
        """The type it has after its treatment: an ordinal is a number, a band and a hash are text."""
        if self.treatment == "surrogate":
            return "integer"
        return "string" if self.treatment in ("generalise", "keyed_hash") else self.type
