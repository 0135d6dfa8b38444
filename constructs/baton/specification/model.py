"""One model: everything that one file under config/models/ says."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from baton.specification.base import ColumnName, ModelName, Specification
from baton.specification.card import Card
from baton.specification.columns import Column
from baton.specification.fairness import Fairness
from baton.specification.feature_store import RESERVED, FeatureStore
from baton.specification.lifecycle import Costs, Gate, Monitoring, Retraining, Target, Training
from baton.specification.problem import Problem, of_its_problem
from baton.specification.quality import Quality
from baton.specification.serving import RealtimeServing, Serving
from baton.specification.source import LAST_MODIFIED, Automation, Dataset, Source
from baton.specification.wrangler import Wrangler


class ModelSpecification(Specification):
    """One model, from its source table to its monitors."""

    name: ModelName
    title: str
    owner: str
    card: Card | None = None
    problem: Problem
    source: Source
    automation: Automation = Automation()
    columns: dict[ColumnName, Column]
    quality: Quality = Quality()
    dataset: Dataset = Dataset()
    feature_store: FeatureStore | None = None
    wrangler: Wrangler | None = None
    features: tuple[ColumnName, ...] = Field(min_length=1)
    target: Target
    facets: dict[ColumnName, tuple[str | int, ...]] = Field(min_length=1)
    fairness: Fairness = Fairness()
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

    @model_validator(mode="before")
    @classmethod
    def _fits_its_problem(cls, content: Any) -> Any:
        return of_its_problem(cls._with_threshold_of_costs(content)) if isinstance(content, dict) else content

    @staticmethod
    def _with_threshold_of_costs(content: Mapping[str, Any]) -> Mapping[str, Any]:
        """Everybody reads `serving.threshold`, so what follows from costs is written there."""
        training, serving = content.get("training"), content.get("serving")
        costs = training.get("costs") if isinstance(training, dict) else None
        if costs is None or not isinstance(serving, dict) or content.get("problem") == "regression":
            return content
        threshold = Costs.model_validate(costs).threshold
        if serving.get("threshold", threshold) != threshold:
            raise ValueError(
                f"serving.threshold: training.costs make it {threshold}, so remove {serving['threshold']} or the costs"
            )
        return {**content, "serving": {**serving, "threshold": threshold}}

    @model_validator(mode="after")
    def _hangs_together(self) -> "ModelSpecification":
        if self.name == "shared" or self.name.endswith("_versions"):
            raise ValueError("name: shared and ..._versions are names of the platform's own; take another")
        if len(self.outputs) != sum(column.output is not None for column in self.columns.values()):
            raise ValueError("columns: two columns have the same output name")
        self._check_source()
        self._check_quality()
        self._check_feature_store()
        for where, name in self._references():
            self._refuse_personal(where, name)
        self._check_tuning()
        self._check_fairness()
        self._check_waivers()
        for name in self.features:
            if self.features.count(name) > 1:
                raise ValueError(f"features: {name} stands there twice")
        if self.target.column in self.features:
            raise ValueError(f"features: {self.target.column} is the target, so it cannot be a feature")
        self._check_target()
        self._check_limits()
        self._check_explainer()
        return self

    @property
    def surrogate_domains(self) -> list[str]:
        """The domains of surrogates that this model shares with others, in order."""
        return sorted({column.domain for column in self.columns.values() if column.domain is not None})

    @property
    def inputs(self) -> tuple[str, ...]:
        """What a request carries: the features, then the facets that are not features."""
        return (*self.features, *(facet for facet in self.facets if facet not in self.features))

    @property
    def surrogate(self) -> str | None:
        """The output that says whom a row is about: the first surrogate."""
        return next((name for name, column in self.outputs.items() if column.treatment == "surrogate"), None)

    def _check_source(self) -> None:
        key, watermark = self.source.key, self.source.watermark
        if key not in self.columns:
            raise ValueError(f"source.key: {key} is not among columns")
        if watermark is None:
            return
        if self.columns[key].treatment not in ("surrogate", "keyed_hash", "keep"):
            raise ValueError(
                f"source.watermark: what changed is matched with what is published by {key}, which is not published; "
                "make its treatment surrogate, keyed_hash or keep"
            )
        if watermark == LAST_MODIFIED:
            return
        if watermark not in self.columns:
            raise ValueError(f"source.watermark: {watermark} is not among columns")
        if self.columns[watermark].type not in ("integer", "date", "timestamp"):
            raise ValueError(f"source.watermark: {watermark} must be an integer, a date or a timestamp, which can grow")

    def _check_target(self) -> None:
        kind = self.outputs[self.target.column].curated_type
        if self.problem == "regression" and kind not in ("integer", "double"):
            raise ValueError(f"target.column: {self.target.column} is a {kind}; a regression learns a number")

    def _check_limits(self) -> None:
        if self.problem == "regression" and self.serving.limits.positive_share is not None:
            raise ValueError("serving.limits.positive_share: only a binary_classification has it; set mean_answer")

    def _check_explainer(self) -> None:
        explainer = self.serving.explainer if isinstance(self.serving, RealtimeServing) else None
        misfit = explainer.misfit(self.inputs) if explainer else None
        if misfit is not None:
            raise ValueError(f"serving.explainer: {misfit}; remove it, or features")

    def _check_quality(self) -> None:
        misfit = self.quality.misfit({name: column.curated_type for name, column in self.outputs.items()})
        if misfit is not None:
            raise ValueError(f"quality.{misfit}")

    def _check_waivers(self) -> None:
        """Only a judgement can be waived; that the artefact is safe and can be watched is none."""
        groups = self.fairness.groups(self.facets)
        quality = [name.partition("_")[2] for name in ("min_auc", "min_r2", "max_rmse") if getattr(self.gate, name)]
        judged = [*quality, "champion", *(f"{metric}.{group}" for metric in self.gate.fairness for group in groups)]
        checks = [waiver.check for waiver in self.gate.waivers]
        for check in checks:
            if check not in judged:
                raise ValueError(
                    f"gate.waivers: {check} is no check that can be waived; there are: {', '.join(judged)}"
                )
            if checks.count(check) > 1:
                raise ValueError(f"gate.waivers: {check} is waived twice")

    def _check_tuning(self) -> None:
        tuning, objective = self.training.tuning, "rmse" if self.problem == "regression" else "auc"
        if tuning is not None and tuning.objective != objective:
            raise ValueError(f"training.tuning.objective: a {self.problem} is tuned by its {objective}; set that")

    def _check_fairness(self) -> None:
        misfit = self.fairness.misfit(facets=self.facets, features=self.features, outputs=self.outputs)
        if misfit is not None:
            raise ValueError(f"fairness.{misfit}")

    def _check_feature_store(self) -> None:
        if self.feature_store is None:
            return
        if self.surrogate is None:
            raise ValueError(
                "feature_store: a record is found by the surrogate of the person it is about, and no column has the "
                "treatment surrogate; give one, or remove feature_store"
            )
        for name in (self.surrogate, *self.inputs):
            column = self.outputs.get(name)
            if name.lower() in RESERVED:
                raise ValueError(f"feature_store: Feature Store keeps the name {name} for itself; rename the output")
            if name.startswith("_") or name.endswith("_"):
                raise ValueError(f"feature_store: a feature's name begins and ends with a letter or digit, got {name}")
            if column is not None and column.curated_type in ("date", "timestamp"):
                raise ValueError(f"feature_store: {name} is a {column.curated_type}; generalise it into bands")

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
