"""What moves capacity by itself: policies that follow their metrics, and actions that follow a schedule.

Time is shorter here. A metric is looked at over the last seconds, where AWS waits for 3 minutes above a target and for
15 below it, and a cooldown of an hour takes a minute.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from embedded.front.alarms import latest, value_of
from embedded.front.scaling import ApplicationAutoScaling, Record
from embedded.front.scaling_policies import PolicyNotEvaluated, stepped, tracking

LOGGER = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.5
_WINDOW_S = 3
_HASTE = 60
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
Reason = tuple[int, str]


class Scaler:
    """Looks at every policy again and again.

    Args:
        scaling: The targets and their policies.
        client: Makes clients for the front door.
        scope: The account and the region it works in.
        clock: Whether scheduled actions happen.
    """

    def __init__(
        self, *, scaling: ApplicationAutoScaling, client: Callable[[str], Any], scope: tuple[str, str], clock: bool
    ) -> None:
        self._scaling, self._client, self._scope, self._clock = scaling, client, scope, clock
        self._moved: dict[str, float] = {}
        self._closed = threading.Event()
        self._ticker = threading.Thread(target=self._run, name="scaler", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._ticker.start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        if self._ticker.is_alive():
            self._ticker.join(timeout=1)

    def _run(self) -> None:
        since = datetime.now(UTC)
        while not self._closed.wait(_LOOK_EVERY_S):
            moment = datetime.now(UTC)
            try:
                with request_scope(*self._scope):
                    if self._clock:
                        self._act(since, moment)
                    for target in self._scaling.targets():
                        self._follow(target)
            except (BotoCoreError, ClientError) as error:
                LOGGER.info("capacity was not moved: %s", error)
            except Exception:
                LOGGER.exception("the scaler stumbled")
            since = moment

    def _act(self, since: datetime, moment: datetime) -> None:
        """Do what the schedule says has come due, and bring capacity within the new bounds."""
        for target, action in self._scaling.bounds_due(since, moment):
            current = self._current(target)
            if current is not None:
                bounded = max(target["MinCapacity"], min(target["MaxCapacity"], current))
                self._move(target, current, (bounded, f"scheduled action {action}"))

    def _follow(self, target: Record) -> None:
        policies = self._scaling.policies_of(target)
        if target["ScalableDimension"] != _DIMENSION or not policies:
            return
        current = self._current(target)
        if current is None:
            return
        wanted = [reason for policy in policies if (reason := self._wanted(policy, current)) is not None]
        # Several policies: the one that gives the most capacity is followed, so that none starves.
        if wanted:
            self._move(target, current, max(wanted))

    def _wanted(self, policy: Record, current: int) -> Reason | None:
        if policy.get("PolicyType", "StepScaling") == "StepScaling":
            return self._stepped(policy, current)
        try:
            follow = tracking(policy)
        except PolicyNotEvaluated as error:
            LOGGER.debug("policy %s: %s", policy["PolicyName"], error)
            return None
        value = _recent(follow.metric)
        if value is None:
            return None
        capacity = follow.wants(current, value)
        rest = follow.out_s if capacity > current else follow.in_s
        return self._rested(policy, rest, (capacity, f"policy {policy['PolicyName']} measured {value:g}"))

    def _stepped(self, policy: Record, current: int) -> Reason | None:
        config = policy["StepScalingPolicyConfiguration"]
        for alarm in list(cloudwatch._alarms.values()):
            acts = policy["PolicyARN"] in (alarm.get("AlarmActions") or []) and alarm.get("ActionsEnabled", True)
            if not acts or alarm["StateValue"] != "ALARM":
                continue
            value = latest(alarm)
            if value is not None:
                capacity = stepped(config, current, value - float(alarm["Threshold"]))
                return self._rested(
                    policy, config.get("Cooldown", 300), (capacity, f"alarm {alarm['AlarmName']} is in ALARM")
                )
        return None

    def _rested(self, policy: Record, rest_s: float, reason: Reason) -> Reason | None:
        """The reason, once what was measured is later than the last move and the cooldown is over."""
        moved = self._moved.get(policy["ResourceId"])
        if moved is not None and time.monotonic() - moved < max(_WINDOW_S, rest_s / _HASTE):
            return None
        return reason

    def _move(self, target: Record, current: int, reason: Reason) -> None:
        capacity = max(target["MinCapacity"], min(target["MaxCapacity"], reason[0]))
        suspended = target.get("SuspendedState", {})
        way = "Out" if capacity > current else "In"
        if capacity == current or suspended.get(f"DynamicScaling{way}Suspended"):
            return
        _, endpoint, _, variant = target["ResourceId"].split("/")
        self._client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=[{"VariantName": variant, "DesiredInstanceCount": capacity}],
        )
        self._moved[target["ResourceId"]] = time.monotonic()
        self._scaling.note_activity(target, capacity, cause=reason[1])

    def _current(self, target: Record) -> int | None:
        """How many instances a target has; None while it is not in service."""
        _, name, _, variant = target["ResourceId"].split("/")
        endpoint = self._client("sagemaker").describe_endpoint(EndpointName=name)
        if endpoint["EndpointStatus"] != "InService":
            return None
        counts = {v["VariantName"]: v.get("CurrentInstanceCount") for v in endpoint["ProductionVariants"]}
        found: int | None = counts.get(variant)
        return found


def _recent(metric: Mapping[str, Any]) -> float | None:
    """A metric over the last seconds; a sum is taken for a whole minute, since targets of sums are per minute."""
    value = value_of(metric, time.time() - _WINDOW_S, _WINDOW_S + 1)
    return value * 60 / _WINDOW_S if value is not None and metric.get("Statistic") == "Sum" else value
