"""Which hyper-parameters the training jobs of a tuning try.

A grid is every combination. All else is drawn at random, from `RandomSeed` on; where AWS searches by Bayes, a job here
learns nothing from those before it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scipy.stats import loguniform, randint, uniform
from sklearn.model_selection import ParameterGrid, ParameterSampler

from embedded.compute.job import JobRefused, absent, only


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """A distribution of values as SageMaker spells them: a hyper-parameter is always text."""

    distribution: Any
    spelled: Callable[[float], str]

    def rvs(self, *, random_state: Any) -> str:
        """One value, as scikit-learn asks for it."""
        return self.spelled(float(self.distribution.rvs(random_state=random_state)))


def candidates(config: Mapping[str, Any]) -> list[dict[str, str]]:
    """The tuned hyper-parameters of each job of a HyperParameterTuningJobConfig, in the order of their start.

    Raises:
        JobRefused: AWS would refuse it, or it asks for what does not run here.
    """
    limits, ranges = config["ResourceLimits"], config.get("ParameterRanges", {})
    absent(config, "StrategyConfig", "TuningJobCompletionCriteria", where="the tuning")
    absent(limits, "MaxRuntimeInSeconds", where="the tuning")
    absent(ranges, "AutoParameters", where="the tuning")
    only(config, "TrainingJobEarlyStoppingType", "Off", default="Off", where="the tuning")
    listed = {entry["Name"]: entry["Values"] for entry in ranges.get("CategoricalParameterRanges", ())}
    drawn = {
        **{entry["Name"]: _continuous(entry) for entry in ranges.get("ContinuousParameterRanges", ())},
        **{entry["Name"]: _integer(entry) for entry in ranges.get("IntegerParameterRanges", ())},
    }
    if config["Strategy"] == "Grid":
        return _grid(listed, drawn, jobs=limits.get("MaxNumberOfTrainingJobs"))
    if config["Strategy"] not in ("Random", "Bayesian"):
        raise JobRefused(f"ClientError: the tuning: embedded AWS does not run the strategy {config['Strategy']!r}")
    if not listed and not drawn:
        raise JobRefused("ClientError: the tuning has no ParameterRanges")
    # Values that are only listed are drawn without repetition, so there are no more than combinations.
    jobs = limits["MaxNumberOfTrainingJobs"] if drawn else min(limits["MaxNumberOfTrainingJobs"], _count(listed))
    return list(ParameterSampler({**listed, **drawn}, jobs, random_state=config.get("RandomSeed")))


def _grid(listed: Mapping[str, list[str]], drawn: Mapping[str, Any], *, jobs: int | None) -> list[dict[str, str]]:
    if drawn:
        raise JobRefused(f"ClientError: a Grid takes categorical ranges only; {sorted(drawn)[0]!r} is another one")
    if jobs not in (None, _count(listed)):
        raise JobRefused(f"ClientError: MaxNumberOfTrainingJobs is {jobs}, the Grid has {_count(listed)} combinations")
    return list(ParameterGrid(dict(listed)))


def _count(listed: Mapping[str, list[str]]) -> int:
    return len(ParameterGrid(dict(listed)))


def _continuous(entry: Mapping[str, Any]) -> _Drawn:
    low, high = _bounds(entry)
    scale = entry.get("ScalingType", "Auto")
    if scale == "Logarithmic":
        return _Drawn(distribution=loguniform(low, high), spelled=str)
    if scale == "ReverseLogarithmic":
        if low < 0 or high >= 1:
            raise JobRefused(f"ClientError: {entry['Name']!r}: ReverseLogarithmic is for values from 0 to below 1")
        return _Drawn(distribution=loguniform(1 - high, 1 - low), spelled=lambda value: str(1 - value))
    return _Drawn(distribution=uniform(low, high - low), spelled=str)


def _integer(entry: Mapping[str, Any]) -> _Drawn:
    low, high = map(int, _bounds(entry))
    scale = entry.get("ScalingType", "Auto")
    if scale == "ReverseLogarithmic":
        raise JobRefused(f"ClientError: {entry['Name']!r}: ReverseLogarithmic is not for integers")
    if scale == "Logarithmic":
        return _Drawn(distribution=loguniform(low, high + 1), spelled=lambda value: str(min(int(value), high)))
    return _Drawn(distribution=randint(low, high + 1), spelled=lambda value: str(int(value)))


def _bounds(entry: Mapping[str, Any]) -> tuple[float, float]:
    low, high = float(entry["MinValue"]), float(entry["MaxValue"])
    if low >= high:
        raise JobRefused(f"ClientError: {entry['Name']!r}: MinValue {low:g} is not below MaxValue {high:g}")
    if entry.get("ScalingType") == "Logarithmic" and low <= 0:
        raise JobRefused(f"ClientError: {entry['Name']!r}: Logarithmic is for values above 0, not {low:g}")
    return low, high
