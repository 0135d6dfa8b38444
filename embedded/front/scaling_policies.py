"""What a scaling policy wants of a target, from what was measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LOW = 0.9  # a target tracking policy lets go of capacity below this share of its target
_PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": ("InvocationsPerInstance", "Sum"),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": ("ConcurrentRequestsPerModel", "Average"),
}


class PolicyNotEvaluated(Exception):
    """A policy watches what is not measured here."""


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """A target tracking policy.

    Attributes:
        metric: The metric it watches, in the form of an alarm's.
        target: The value it keeps.
        out_s: How long it rests after it has added capacity, in seconds of AWS.
        in_s: How long it rests before it takes capacity away.
        only_out: Whether it never does that.
    """

    metric: Mapping[str, Any]
    target: float
    out_s: float
    in_s: float
    only_out: bool

    def wants(self, current: int, value: float) -> int:
        """The capacity for a measured value; a metric per instance says nothing while there is none."""
        if value > self.target:
            return max(current, math.ceil(current * value / self.target))
        if value < self.target * _LOW and not self.only_out:
            return min(current, math.ceil(current * value / self.target))
        return current


def tracking(policy: Mapping[str, Any]) -> Tracking:
    """Read a target tracking policy.

    Raises:
        PolicyNotEvaluated: It watches a predefined metric that is not measured here.
    """
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    return Tracking(
        metric=_metric(policy["ResourceId"], config),
        target=float(config["TargetValue"]),
        out_s=float(config.get("ScaleOutCooldown", 300)),
        in_s=float(config.get("ScaleInCooldown", 300)),
        only_out=bool(config.get("DisableScaleIn", False)),
    )


def _metric(resource_id: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    custom: Mapping[str, Any] | None = config.get("CustomizedMetricSpecification")
    if custom is not None:
        return custom
    kind = config.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "no metric")
    if kind not in _PREDEFINED:
        raise PolicyNotEvaluated(f"target tracking of {kind} is not evaluated here")
    _, endpoint, _, variant = resource_id.split("/")
    names, (metric, statistic) = {"EndpointName": endpoint, "VariantName": variant}, _PREDEFINED[kind]
    return {
        "Namespace": "AWS/SageMaker",
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in names.items()],
        "Statistic": statistic,
    }


def stepped(config: Mapping[str, Any], current: int, breach: float) -> int:
    """The capacity that a step scaling policy wants.

    Args:
        config: The policy's StepScalingPolicyConfiguration.
        current: The capacity now.
        breach: By how much the alarm's metric is above its threshold; negative below it.
    """
    step = _step(config.get("StepAdjustments", ()), breach)
    if step is None:
        return current
    adjustment = int(step["ScalingAdjustment"])
    match config["AdjustmentType"]:
        case "ExactCapacity":
            return adjustment
        case "PercentChangeInCapacity":
            change = _rounded(current * adjustment / 100)
            least = int(config.get("MinAdjustmentMagnitude", 0))
            return current + (max(abs(change), least) * (1 if adjustment > 0 else -1))
        case _:
            return current + adjustment


def _step(steps: Sequence[Mapping[str, Any]], breach: float) -> Mapping[str, Any] | None:
    for step in steps:
        lower = float(step.get("MetricIntervalLowerBound", -math.inf))
        upper = float(step.get("MetricIntervalUpperBound", math.inf))
        if (lower <= breach < upper) if breach >= 0 else (lower < breach <= upper):
            return step
    return None


def _rounded(change: float) -> int:
    """As Application Auto Scaling rounds: away from nought below one, towards it above."""
    if 0 < abs(change) < 1:
        return 1 if change > 0 else -1
    return int(change)
