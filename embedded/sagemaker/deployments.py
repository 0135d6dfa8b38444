"""A deployment under way: traffic moved step by step, watched by alarms, and rolled back when one rings."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from embedded.sagemaker.deployment_plan import HASTE, Step, alarms_of, steps
from embedded.sagemaker.store import Record
from embedded.sagemaker.workshop import ClientFactory

_LOOK_EVERY_S = 0.1
Report = Callable[[str], None]


class Deployments:
    """Brings configurations to the hosts that serve them.

    Args:
        client: Makes clients for the front door, which knows the alarms.
    """

    def __init__(self, *, client: ClientFactory) -> None:
        self._client = client

    def begin(self, host: Any, config: Record) -> str | None:
        """Let a host that serves nothing yet serve a configuration; answers why it cannot."""
        return _attempt(lambda: host.update(config))

    def resize(self, host: Any, instances: Mapping[str, int]) -> str | None:
        """Give a host's variants another number of instances; answers why they cannot have it."""
        return _attempt(lambda: host.scale(instances))

    def replace(self, host: Any, config: Record, deployment: Mapping[str, Any] | None, report: Report) -> str | None:
        """Move a host's traffic to another configuration as a DeploymentConfig says.

        Args:
            host: The host.
            config: The new configuration.
            deployment: How to move; None moves all at once.
            report: Gets `ActivatingTraffic` and `Baking`, and `RollingBack` where it comes to that.

        Returns:
            Why the old configuration still serves, or None where the new one does.
        """
        variants = config["ProductionVariants"]
        instances = sum(int(variant.get("InitialInstanceCount", 1)) for variant in variants)
        if any("ServerlessConfig" in variant for variant in variants):
            deployment = None  # SageMaker guards no serverless deployment, and does not say so
        plan = steps(deployment, instances=instances, variants=len(variants))
        alarms = alarms_of(deployment)
        reason = self._ringing(alarms) or _attempt(lambda: host.prepare(config))
        if reason is not None:
            return reason
        for step in plan:
            reason = self._take(host, step, alarms, report)
            if reason is not None:
                report("RollingBack")
                host.abandon()
                return reason
        return _attempt(host.commit)

    def _take(self, host: Any, step: Step, alarms: list[str], report: Report) -> str | None:
        report("ActivatingTraffic")
        host.shift(step.share)
        report("Baking")
        deadline = time.monotonic() + step.wait_s / HASTE
        while True:
            reason = self._ringing(alarms)
            left = 0.0 if host.stopped else deadline - time.monotonic()
            if reason is not None or left <= 0:
                return reason
            time.sleep(min(left, _LOOK_EVERY_S))

    def _ringing(self, names: list[str]) -> str | None:
        """Why the deployment's alarms forbid it."""
        if not names:
            return None
        known = self._client("cloudwatch").describe_alarms(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        states = {a["AlarmName"]: a["StateValue"] for a in known["MetricAlarms"] + known["CompositeAlarms"]}
        missing = [name for name in names if name not in states]
        if missing:
            return f"The alarms {', '.join(missing)} of the deployment's roll-back do not exist."
        ringing = [name for name, state in states.items() if state == "ALARM"]
        if ringing:
            return f"Alarm(s) [{', '.join(ringing)}] are in ALARM state; the deployment was rolled back."
        return None


def _attempt(act: Callable[[], None]) -> str | None:
    from embedded.compute.endpoint import EndpointFailure

    try:
        act()
    except EndpointFailure as error:
        return str(error)[:1024]
    except Exception as error:
        return f"InternalServerError: {type(error).__name__}: {error}"[:1024]
    return None
