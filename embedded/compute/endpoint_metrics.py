"""An endpoint's metrics, as SageMaker publishes them to CloudWatch."""

import collections
import threading
from typing import Any

from embedded.compute.job import ClientFactory
from embedded.compute.model_server import Reply
from embedded.compute.variant import Variant

_NAMESPACE = "AWS/SageMaker"
_VALUES_PER_DATUM = 150  # CloudWatch's limit
_DATA_PER_CALL = 100
_Series = tuple[str | None, str, str]


class EndpointMetrics:
    """What was measured of one endpoint since it was last put.

    Args:
        endpoint: Value of the dimension EndpointName.
        client: Gives the CloudWatch client.
    """

    def __init__(self, *, endpoint: str, client: ClientFactory) -> None:
        self._endpoint = endpoint
        self._client = client
        self._lock = threading.Lock()
        self._values: dict[_Series, list[float]] = collections.defaultdict(list)
        self._busy: set[str] = set()

    def note(self, name: str, value: float, *, unit: str, variant: str | None = None) -> None:
        """Keep one value, of a variant or of the endpoint as a whole."""
        with self._lock:
            self._values[variant, name, unit].append(value)

    def note_reply(self, variant: Variant, reply: Reply) -> None:
        """Count one answer of a container."""
        for name, value, unit in (
            ("Invocation4XXErrors", int(400 <= reply.status < 500), "None"),
            ("Invocation5XXErrors", int(reply.status >= 500), "None"),
            ("ModelLatency", reply.latency_us, "Microseconds"),
        ):
            self.note(name, value, unit=unit, variant=variant.name)

    def note_invocation(self, variant: Variant, *, overhead_us: int | None, setup_us: int | None) -> None:
        """Count one request; an asynchronous endpoint publishes none of these.

        Args:
            variant: What answered.
            overhead_us: What its caller waited besides the container; None of a copy, for which nobody waits.
            setup_us: What it took to start the container, if that had to be.
        """
        self.note("Invocations", 1, unit="None", variant=variant.name)
        if overhead_us is not None:
            self.note("OverheadLatency", overhead_us, unit="Microseconds", variant=variant.name)
        if not variant.serverless:
            self.note("InvocationsPerInstance", 1 / max(1, variant.instances), unit="None", variant=variant.name)
        if setup_us is not None:
            self.note("ModelSetupTime", setup_us, unit="Microseconds", variant=variant.name)

    def note_concurrency(self, variant: Variant) -> None:
        """Count what was under way at a time; a variant that falls silent says so once."""
        peak = variant.take_peak()
        if peak or variant.name in self._busy:
            per_instance = peak / max(1, variant.instances)
            self.note("ConcurrentRequestsPerModel", per_instance, unit="Count", variant=variant.name)
        (self._busy.add if peak else self._busy.discard)(variant.name)

    def flush(self) -> None:
        """Put what was kept; what CloudWatch does not take is lost, as it is for a real endpoint."""
        with self._lock:
            values, self._values = self._values, collections.defaultdict(list)
        data = [datum for series, measured in values.items() for datum in self._data(series, measured)]
        for first in range(0, len(data), _DATA_PER_CALL):
            self._client("cloudwatch").put_metric_data(
                Namespace=_NAMESPACE, MetricData=data[first : first + _DATA_PER_CALL]
            )

    def _data(self, series: _Series, values: list[float]) -> list[dict[str, Any]]:
        variant, name, unit = series
        dimensions = [{"Name": "EndpointName", "Value": self._endpoint}]
        if variant is not None:
            dimensions.append({"Name": "VariantName", "Value": variant})
        counts = sorted(collections.Counter(values).items())
        parts = [counts[first : first + _VALUES_PER_DATUM] for first in range(0, len(counts), _VALUES_PER_DATUM)]
        return [
            {
                "MetricName": name,
                "Dimensions": dimensions,
                "Unit": unit,
                "Values": [float(value) for value, _ in part],
                "Counts": [float(count) for _, count in part],
            }
            for part in parts
        ]
