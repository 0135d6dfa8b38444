"""What a model is: the typed form of one file under config/models/."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Schedule = Annotated[str, StringConstraints(pattern=r"^(cron|rate)\(.+\)$")]


class Specification(BaseModel):
    """A part of a configuration file: immutable, and no key that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Specification):
    """Where the rows come from: a table or a query behind a named connection.

    `partitions` parallel reads split the `key` range; `fetch_size` is rows per round trip.
    """

    connection: str
    table: str | None = None
    query: str | None = None
    key: ColumnName
    partitions: int = Field(default=2, ge=1, le=64)
    fetch_size: int = Field(default=10_000, ge=1, le=100_000)
    schedule: Schedule

    @model_validator(mode="after")
    def _reads_one_thing(self) -> "Source":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query, not both and not neither")
        return self


class Column(Specification):
    """One source column and what becomes of it before anyone downstream may read it.

    `drop` leaves it out; `keyed_hash` replaces it by an HMAC; `surrogate` by a stable ordinal whose vault is
    locked away; `generalise` by a band (`bands`: lower bounds, of a number or of an age in years) or by the
    first `prefix` characters; `keep` passes it on. `output` is its name in the curated zone.
    """

    type: Literal["integer", "double", "string", "date", "boolean"]
    treatment: Literal["drop", "keyed_hash", "surrogate", "generalise", "keep"]
    output: ColumnName | None = None
    bands: tuple[int, ...] | None = None
    prefix: int | None = Field(default=None, ge=1, le=32)

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


class Target(Specification):
    """The label column, and the value that counts as the positive outcome."""

    column: ColumnName
    positive: int | str


class Training(Specification):
    """How a version is trained. Fractions are of the whole data set; the hold-out is frozen by `seed`."""

    algorithm: Literal["xgboost"]
    instance_type: InstanceType
    seed: int = Field(ge=0, le=2**31 - 1)
    holdout_fraction: Fraction = 0.2
    validation_fraction: Fraction = 0.1
    max_runtime_minutes: int = Field(default=60, ge=1, le=60 * 24 * 5)
    hyperparameters: dict[str, int | float | str]


class Gate(Specification):
    """What a version must reach to be registered.

    `fairness` bounds post-training bias metrics, for every value of every facet.
    """

    min_auc: Fraction
    fairness: dict[Literal["DPPL", "DI", "AD", "RD", "DCA", "DCR", "DAR", "DRR", "TE"], tuple[float, float]]

    @field_validator("fairness")
    @classmethod
    def _bounds_rise(cls, bounds: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for metric, (low, high) in bounds.items():
            if low >= high:
                raise ValueError(f"{metric}: the lower bound must be below the upper, got [{low}, {high}]")
        return bounds


class Serving(Specification):
    """How the approved version is served, in every environment."""

    instance_type: InstanceType
    threshold: Fraction = 0.5
    capture_percent: int = Field(default=100, ge=1, le=100)
    invocations_per_instance: int = Field(default=1000, ge=1, description="per minute, the scaling target")
    max_latency_ms: int = Field(default=200, ge=1)

    @field_validator("instance_type")
    @classmethod
    def _can_scale(cls, instance_type: str) -> str:
        if re.match(r"ml\.t[23]\.", instance_type):
            raise ValueError(f"burstable instances cannot auto-scale, got {instance_type}")
        return instance_type


class Monitoring(Specification):
    """When a served version is watched, and how much change counts as a violation.

    `drift_distance` is the L-infinity distance between baseline and current distributions; `max_auc_loss` and
    `max_bias_change` are absolute; `min_attribution_ndcg` compares the ranking of attributions with the baseline's.
    """

    schedule: Schedule
    instance_type: InstanceType
    drift_distance: Fraction = 0.15
    min_rows: int = Field(default=200, ge=1)
    max_auc_loss: Fraction = 0.05
    max_bias_change: Fraction = 0.1
    min_attribution_ndcg: Fraction = 0.9


class Retraining(Specification):
    """The brake on the feedback loop."""

    cooldown_hours: int = Field(default=24, ge=0, le=24 * 30)
    max_per_week: int = Field(default=3, ge=1, le=50)


class ModelSpecification(Specification):
    """One model, from its source table to its monitors."""

    name: ModelName
    title: str
    owner: str
    problem: Literal["binary_classification"]
    source: Source
    columns: dict[ColumnName, Column]
    features: tuple[ColumnName, ...] = Field(min_length=1)
    target: Target
    facets: dict[ColumnName, tuple[str | int, ...]] = Field(min_length=1)
    training: Training
    gate: Gate
    serving: Serving
    monitoring: Monitoring
    retraining: Retraining

    @property
    def slug(self) -> str:
        """The name as AWS names want it: with hyphens."""
        return self.name.replace("_", "-")

    @property
    def construct_id(self) -> str:
        """The name as construct ids want it: in PascalCase."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def outputs(self) -> dict[str, Column]:
        """The columns of the curated zone by their names there, in the source's order."""
        return {column.output: column for column in self.columns.values() if column.output}

    @model_validator(mode="after")
    def _hangs_together(self) -> "ModelSpecification":
        if len(self.outputs) != sum(column.output is not None for column in self.columns.values()):
            raise ValueError("columns: two columns have the same output name")
        if self.source.key not in self.columns:
            raise ValueError(f"source.key: {self.source.key} is not among columns")
        for where, name in self._references():
            self._refuse_personal(where, name)
        for name in self.features:
            if self.features.count(name) > 1:
                raise ValueError(f"features: {name} stands there twice")
        if self.target.column in self.features:
            raise ValueError(f"features: {self.target.column} is the target, so it cannot be a feature")
        return self

    def _refuse_personal(self, where: str, name: str) -> None:
        column = self.outputs.get(name)
        if column is None and name in self.columns and self.columns[name].output:
            raise ValueError(f"{where}: {name} is the source's name; use its output, {self.columns[name].output}")
        if column is None and name in self.columns:
            raise ValueError(
                f"{where}: {name} is personal data ({self.columns[name].treatment}); only outputs can be used"
            )
        if column is None:
            raise ValueError(f"{where}: no column has the output {name}")
        if column.treatment in ("keyed_hash", "surrogate"):
            raise ValueError(f"{where}: {name} stands for a person ({column.treatment}), so nothing may learn from it")

    def _references(self) -> list[tuple[str, str]]:
        return [
            *(("features", name) for name in self.features),
            ("target.column", self.target.column),
            *(("facets", name) for name in self.facets),
        ]
