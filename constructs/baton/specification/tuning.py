"""Which hyper-parameters are searched for, within what bounds, and by what the results are compared."""

from math import prod
from typing import Annotated, Literal

from pydantic import Field, model_validator

from baton.specification.base import Specification

# What AWS's XGBoost container lets a tuning vary. SageMaker knows the image and refuses every other name.
# https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
TUNABLE: dict[str, type[int] | type[float]] = {
    "alpha": float,
    "colsample_bylevel": float,
    "colsample_bynode": float,
    "colsample_bytree": float,
    "eta": float,
    "gamma": float,
    "lambda": float,
    "max_delta_step": int,
    "max_depth": int,
    "min_child_weight": float,
    "num_round": int,
    "subsample": float,
}


class Range(Specification):
    """From `min` to `max`. `logarithmic` tries as many values between 0.01 and 0.1 as between 0.1 and 1."""

    min: float
    max: float
    scale: Literal["auto", "linear", "logarithmic", "reverse_logarithmic"] = "auto"

    @model_validator(mode="after")
    def _rises(self) -> "Range":
        if self.min >= self.max:
            raise ValueError(f"min must be below max, got {self.min:g} and {self.max:g}")
        if self.scale == "logarithmic" and self.min <= 0:
            raise ValueError(f"a logarithmic scale begins above 0, got min {self.min:g}; raise it or choose linear")
        if self.scale == "reverse_logarithmic" and not 0 <= self.min < self.max < 1:
            raise ValueError("a reverse_logarithmic scale lies from 0 up to, but not including, 1")
        return self


Values = Annotated[tuple[int | float, ...], Field(min_length=1, max_length=30)]


class Tuning(Specification):
    """A search for the hyper-parameters whose model does best on the validation side.

    `grid` tries every combination of listed values and so decides the number of jobs itself; the others need
    `max_jobs`. The `objective` is the AUC, or a regression's RMSE.
    """

    strategy: Literal["bayesian", "random", "grid"] = "bayesian"
    max_jobs: int | None = Field(default=None, ge=1, le=750)
    max_parallel_jobs: int = Field(default=2, ge=1, le=100)
    objective: Literal["auc", "rmse"] = "auc"
    ranges: dict[str, Range | Values] = Field(min_length=1, max_length=30)

    @property
    def jobs(self) -> int:
        """How many training jobs are run at most."""
        return self.max_jobs or prod(len(values) for values in self.ranges.values() if isinstance(values, tuple))

    @model_validator(mode="after")
    def _known_and_of_their_kind(self) -> "Tuning":
        for name, wanted in self.ranges.items():
            if name not in TUNABLE:
                raise ValueError(f"ranges: {name} cannot be tuned; these can: {', '.join(TUNABLE)}")
            bounds = (wanted.min, wanted.max) if isinstance(wanted, Range) else wanted
            if TUNABLE[name] is int and any(bound != int(bound) for bound in bounds):
                raise ValueError(f"ranges: {name} takes whole numbers only")
            whole_reversed = isinstance(wanted, Range) and wanted.scale == "reverse_logarithmic"
            if TUNABLE[name] is int and whole_reversed:
                raise ValueError(f"ranges: {name} takes whole numbers, for which there is no reverse_logarithmic scale")
        return self

    @model_validator(mode="after")
    def _strategy_can_count(self) -> "Tuning":
        if self.strategy == "grid":
            bounded = [name for name, wanted in self.ranges.items() if isinstance(wanted, Range)]
            if bounded:
                raise ValueError(f"strategy: grid tries listed values only; list those of {', '.join(bounded)}")
            if self.max_jobs is not None:
                raise ValueError("max_jobs: grid tries every combination; leave max_jobs out")
            if self.jobs > 750:
                raise ValueError(f"ranges: {self.jobs} combinations; SageMaker runs 750 training jobs at most")
        elif self.max_jobs is None:
            raise ValueError(f"max_jobs: {self.strategy} needs it; say how many training jobs to run")
        if self.max_parallel_jobs > self.jobs:
            raise ValueError(f"max_parallel_jobs: {self.max_parallel_jobs} is more than the {self.jobs} jobs there are")
        return self
