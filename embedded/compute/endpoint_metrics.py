"""An endpoint's invocation metrics, as SageMaker publishes them to CloudWatch."""

import collections
import threading
from typing import Any

from embedded.compute.job import ClientFactory

_NAMESPACE = "AWS/SageMaker"
_VALUES_PER_DATUM = 150  # CloudWatch's limit
_DATA_PER_CALL = 100


class EndpointMetrics:
    """Counts of one endpoint since they were last put.

    Args:
        endpoint: Value of the dimension EndpointName.
        client: Gives the CloudWatch client.
    """

    def __init__(self, *, endpoint: str, client: ClientFactory) -> None:
        self._endpoint = endpoint
        self._client = client
        self._lock = threading.Lock()
        self._latencies: dict[str, list[int]] = collections.defaultdict(list)
        self._statuses: dict[str, list[int]] = collections.defaultdict(list)

    def note(self, *, variant: str, status: int, latency_us: int) -> None:
        """Count one invocation."""
        with self._lock:
            self._latencies[variant].append(latency_us)
            self._statuses[variant].append(status)

    def flush(self) -> None:
        """Put what was counted; what CloudWatch does not take is lost, as it is for a real endpoint."""
        with self._lock:
            latencies, self._latencies = self._latencies, collections.defaultdict(list)
            statuses, self._statuses = self._statuses, collections.defaultdict(list)
        data = [datum for name in statuses for datum in self._data(name, latencies[name], statuses[name])]
        for first in range(0, len(data), _DATA_PER_CALL):
            self._client("cloudwatch").put_metric_data(
                Namespace=_NAMESPACE, MetricData=data[first : first + _DATA_PER_CALL]
            )

    def _data(self, variant: str, latencies: list[int], statuses: list[int]) -> list[dict[str, Any]]:
        dimensions = [
            {"Name": "EndpointName", "Value": self._endpoint},
            {"Name": "VariantName", "Value": variant},
        ]
        series: dict[tuple[str, str], list[int]] = {
            ("Invocations", "Count"): [1] * len(statuses),
            ("Invocation4XXErrors", "Count"): [int(400 <= status < 500) for status in statuses],
            ("Invocation5XXErrors", "Count"): [int(status >= 500) for status in statuses],
            ("ModelLatency", "Microseconds"): latencies,
        }
        data = []
        for (name, unit), values in series.items():
            counts = sorted(collections.Counter(values).items())
            for first in range(0, len(counts), _VALUES_PER_DATUM):
                part = counts[first : first + _VALUES_PER_DATUM]
                data.append(
                    {
                        "MetricName": name,
                        "Dimensions": dimensions,
                        "Unit": unit,
                        "Values": [float(value) for value, _ in part],
                        "Counts": [float(count) for _, count in part],
                    }
                )
        return data
