"""How a model is trained, judged, watched and trained again."""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from baton.specification.base import ColumnName, Fraction, Schedule, Specification
from baton.specification.machine import Machine
from baton.specification.tuning import Tuning

LONGEST_WAIVER = timedelta(days=90)


class Target(Specification):
    """The column to learn, and which of its values count as the favourable outcome when groups are compared.

    Of a binary classification that is the value `positive`; of a regression every number above `favourable_above`.
    """

    column: ColumnName
    positive: int | str | None = None
    favourable_above: float | None = None

    @property
    def label_values_or_threshold(self) -> list[int | str | float]:
        """The favourable outcome as Clarify wants it: the value, or the exclusive lower bound of the numbers."""
        return [value for value in (self.positive, self.favourable_above) if value is not None]


class Costs(Specification):
    """What a wrong answer costs, in any one unit: to treat a negative as positive, and to miss a positive."""

    false_positive: float = Field(gt=0)
    false_negative: float = Field(gt=0)

    @property
    def threshold(self) -> float:
        """From where on answering positive costs less on average, given calibrated probabilities.

        See:
            C. Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001, equation 2.
        """
        return round(self.false_positive / (self.false_positive + self.false_negative), 6)


class Training(Specification):
    """How a version is trained. Fractions are of the whole data set; the hold-out is frozen by `seed`.

    `calibration` is fitted on the validation side. With `costs`, they decide the threshold instead of `serving`.
    `spot` trains on spare machines, which AWS may take back: `max_wait_minutes` bounds waiting and training together.
    """

    algorithm: Literal["xgboost", "logistic_regression", "linear_regression"]
    calibration: Literal["none", "sigmoid", "isotonic"] = "none"
    costs: Costs | None = None
    instance_type: Machine
    seed: int = Field(ge=0, le=2**31 - 1)
    holdout_fraction: Fraction = 0.2
    validation_fraction: Fraction = 0.1
    max_runtime_minutes: int = Field(default=60, ge=1, le=60 * 24 * 5)
    spot: bool = False
    max_wait_minutes: int | None = Field(default=None, ge=1)
    hyperparameters: dict[str, int | float | str]
    tuning: Tuning | None = None

    @property
    def wait_minutes(self) -> int:
        """How long a spot training may take from its request to its end: unless told, twice its runtime."""
        return self.max_wait_minutes or 2 * self.max_runtime_minutes

    @model_validator(mode="after")
    def _waits_long_enough(self) -> "Training":
        if self.max_wait_minutes is None:
            return self
        if not self.spot:
            raise ValueError("max_wait_minutes: only a spot training waits; set spot to true or leave this out")
        if self.max_wait_minutes < self.max_runtime_minutes:
            raise ValueError(
                f"max_wait_minutes: {self.max_wait_minutes} includes the training itself, so it must be at least "
                f"max_runtime_minutes, {self.max_runtime_minutes}"
            )
        return self

    @model_validator(mode="after")
    def _tuning_fits(self) -> "Training":
        if self.tuning is None:
            return self
        if self.algorithm != "xgboost":
            raise ValueError(
                f"tuning: SageMaker tunes XGBoost's hyper-parameters only in the container that trains, not those of "
                f"{self.algorithm}; leave tuning out"
            )
        twice = sorted(self.tuning.ranges.keys() & self.hyperparameters.keys())
        if twice:
            raise ValueError(f"hyperparameters: {', '.join(twice)} is tuned; leave its fixed value out")
        if "num_round" not in {*self.tuning.ranges, *self.hyperparameters}:
            raise ValueError("hyperparameters: num_round is missing; a tuning needs it fixed or as a range")
        return self

    @model_validator(mode="after")
    def _costs_need_calibration(self) -> "Training":
        if self.costs is not None and self.calibration == "none":
            raise ValueError(
                "costs: a threshold that follows from costs presumes probabilities that come true; "
                "set calibration to sigmoid or isotonic"
            )
        return self


class Champion(Specification):
    """How a version is compared with the highest approved one, on the same hold-out.

    It may lose `max_loss` of the metric: that it loses less must be sure with `confidence`.
    """

    max_loss: float = Field(default=0.02, ge=0, lt=1)
    confidence: float = Field(default=0.95, ge=0.5, lt=1)


class Waiver(Specification):
    """Lets a version pass although it failed one check.

    `check` is its name in the gate's report: `auc`, `champion`, or a metric of a group, as `DPPL.gender=Female`.
    Both days are included; days are those of UTC.
    """

    check: str
    approver: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    reason: str = Field(min_length=20)
    granted: date
    expires: date

    @model_validator(mode="after")
    def _ends_soon(self) -> "Waiver":
        if not self.granted <= self.expires <= self.granted + LONGEST_WAIVER:
            raise ValueError(
                f"expires: a waiver lasts at most {LONGEST_WAIVER.days} days from granted, {self.granted}; "
                f"got {self.expires}"
            )
        return self


class Gate(Specification):
    """What a version must reach to be registered.

    `min_auc` judges a binary classification; `min_r2` and, in the target's own unit, `max_rmse` a regression.
    `fairness` bounds post-training bias metrics, for every value of every facet.
    """

    min_auc: Fraction | None = None
    min_r2: Fraction | None = None
    max_rmse: float | None = Field(default=None, gt=0)
    champion: Champion = Champion()
    waivers: tuple[Waiver, ...] = ()
    fairness: dict[Literal["DPPL", "DI", "AD", "RD", "DCA", "DCR", "DAR", "DRR", "TE"], tuple[float, float]]

    @field_validator("fairness")
    @classmethod
    def _bounds_rise(cls, bounds: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for metric, (low, high) in bounds.items():
            if low >= high:
                raise ValueError(f"{metric}: the lower bound must be below the upper, got [{low}, {high}]")
        return bounds


class Monitoring(Specification):
    """When a served version is watched, and how much change counts as a violation.

    `drift_distance` is the L-infinity distance between baseline and current distributions; `max_auc_loss` and
    `max_bias_change` are absolute; `max_rmse_increase` is relative, 0.2 for errors a fifth larger than on the hold-out;
    `min_attribution_ndcg` compares the ranking of attributions with the baseline's.
    """

    schedule: Schedule
    instance_type: Machine
    drift_distance: Fraction = 0.15
    min_rows: int = Field(default=200, ge=1)
    max_auc_loss: Fraction | None = None
    max_rmse_increase: float | None = Field(default=None, gt=0)
    max_bias_change: Fraction = 0.1
    min_attribution_ndcg: Fraction = 0.9


class Retraining(Specification):
    """The brake on the feedback loop."""

    cooldown_hours: int = Field(default=24, ge=0, le=24 * 30)
    max_per_week: int = Field(default=3, ge=1, le=50)
