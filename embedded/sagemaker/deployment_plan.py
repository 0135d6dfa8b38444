"""How a deployment moves traffic: in which steps, and how long each is watched."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HASTE = 600
"""How many seconds of a deployment's waits pass in one second here."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One shift of traffic.

    Attributes:
        share: The share of the requests that the new fleet gets, from 0 to 1.
        wait_s: How long it is watched before the next step, in seconds of AWS.
    """

    share: float
    wait_s: float


def steps(deployment: Mapping[str, Any] | None, *, instances: int, variants: int) -> list[Step]:
    """The steps of a DeploymentConfig, the last with all of the traffic.

    Args:
        deployment: The configuration; without one, all traffic moves at once and nothing is watched.
        instances: How many instances the new fleet has.
        variants: How many production variants it has; a rolling update of several falls back to all at once.
    """
    policy = deployment or {}
    if "RollingUpdatePolicy" in policy and variants == 1:
        rolling = policy["RollingUpdatePolicy"]
        return _even(_share(rolling["MaximumBatchSize"], instances), rolling["WaitIntervalInSeconds"])
    if "BlueGreenUpdatePolicy" not in policy:
        return [Step(share=1.0, wait_s=0.0)]
    blue_green = policy["BlueGreenUpdatePolicy"]
    routing = blue_green["TrafficRoutingConfiguration"]
    wait_s = float(routing["WaitIntervalInSeconds"])
    match routing["Type"]:
        case "CANARY":
            moves = [Step(share=_share(routing["CanarySize"], instances), wait_s=wait_s)]
            moves.append(Step(share=1.0, wait_s=wait_s))
        case "LINEAR":
            moves = _even(_share(routing["LinearStepSize"], instances), wait_s)
        case _:
            moves = [Step(share=1.0, wait_s=wait_s)]
    return [*moves, Step(share=1.0, wait_s=float(blue_green.get("TerminationWaitInSeconds", 0)))]


def _even(share: float, wait_s: float) -> list[Step]:
    count = math.ceil(round(1 / share, 6))
    return [Step(share=min(1.0, share * (number + 1)), wait_s=wait_s) for number in range(count)]


def _share(size: Mapping[str, Any], instances: int) -> float:
    if size["Type"] == "CAPACITY_PERCENT":
        return float(size["Value"]) / 100
    return min(1.0, float(size["Value"]) / max(1, instances))


def alarms_of(deployment: Mapping[str, Any] | None) -> list[str]:
    """The alarms whose state rolls a deployment back."""
    rollback = (deployment or {}).get("AutoRollbackConfiguration", {})
    return [alarm["AlarmName"] for alarm in rollback.get("Alarms", [])]
