"""What an endpoint can be short of, long before a caller notices."""

import re
from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from baton.observability.dashboard import Graph
from baton.observability.strain import Habit, Limit

FULL = 85
"""Percent of memory, disk or graphics memory. SageMaker ends a container that wants more than there is."""

BUSY = 80
"""Percent of all processors, as an average over a quarter of an hour. Scaling should have helped by then."""

OVERHEAD_US = 500_000
"""Half a second spent outside the model, in the 99th percentile: SageMaker's own queue, or very large requests."""

REFUSED = 0.05
"""The share of requests that were refused. A caller that sends what the signature does not know has changed."""

_ODD_SIZES = {"ml.c4.8xlarge": 36}
_GPUS = {"p2": {"8xlarge": 8, "16xlarge": 16}, "p3": {"8xlarge": 4, "16xlarge": 8}}
"""Instances with several graphics processors, by family and size; newer ones have drives, so they are refused."""


def vcpus(instance_type: str) -> int:
    """How many processors an instance has, by the rule that AWS names its sizes after.

    Raises:
        ValueError: The type's size follows no rule.
    """
    size = instance_type.rpartition(".")[2]
    if instance_type in _ODD_SIZES:
        return _ODD_SIZES[instance_type]
    if size in ("large", "xlarge"):
        return {"large": 2, "xlarge": 4}[size]
    times = re.fullmatch(r"(\d+)xlarge", size)
    if times is None:
        raise ValueError(f"instance_type: {instance_type} has no size like large or 4xlarge; choose one that has")
    return 4 * int(times[1])


def gpus(instance_type: str) -> int:
    """How many graphics processors an instance has: those of the families p and g, which Graviton's m6g is not."""
    if re.match(r"ml\.[pg]\d", instance_type) is None:
        return 0
    family, size = instance_type.split(".")[1:]
    return _GPUS.get(family, {}).get(size, 1)


class InstanceMetrics:
    """What the machines behind one endpoint variant report.

    Args:
        endpoint_name: The endpoint.
        variant: Its variant.
        instance_type: What the variant runs on; the processors' metric adds up all of them.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """

    def __init__(self, *, endpoint_name: str, variant: str, instance_type: str) -> None:
        self._dimensions = {"EndpointName": endpoint_name, "VariantName": variant}
        self._instance_type = instance_type

    def metric_cpu(self) -> cloudwatch.Metric:
        """Use of the processors: percent of one of them, added up, averaged over the instances."""
        return self._metric("CPUUtilization")

    def metric_memory(self) -> cloudwatch.Metric:
        """Use of the memory in percent."""
        return self._metric("MemoryUtilization")

    def metric_disk(self) -> cloudwatch.Metric:
        """Use of the disk in percent."""
        return self._metric("DiskUtilization")

    def metric_gpu(self) -> cloudwatch.Metric:
        """Use of the graphics processors: percent of one of them, added up."""
        return self._metric("GPUUtilization")

    def metric_gpu_memory(self) -> cloudwatch.Metric:
        """Use of the graphics processors' memory: percent of one of them, added up."""
        return self._metric("GPUMemoryUtilization")

    def limits(self) -> list[Limit]:
        """Where each of them becomes too much."""
        limits = [
            Limit(
                name="Processors",
                metric=self.metric_cpu(),
                threshold=BUSY * vcpus(self._instance_type),
                meaning=f"The endpoint's processors are more than {BUSY} % busy.",
            ),
            Limit(
                name="Memory",
                metric=self.metric_memory(),
                threshold=FULL,
                meaning=f"The endpoint's memory is more than {FULL} % full.",
            ),
            Limit(
                name="Disk",
                metric=self.metric_disk(),
                threshold=FULL,
                meaning=f"The endpoint's disk is more than {FULL} % full.",
            ),
        ]
        if gpus(self._instance_type):
            limits.append(
                Limit(
                    name="GraphicsMemory",
                    metric=self.metric_gpu_memory(),
                    threshold=FULL * gpus(self._instance_type),
                    meaning=f"The memory of the endpoint's graphics processors is more than {FULL} % full.",
                )
            )
        return limits

    def graph(self, *, deployed: cloudwatch.Metric) -> Graph:
        """All of them in one picture, with the moments at which a version was deployed."""
        lines = [self.metric_cpu(), self.metric_memory(), self.metric_disk()]
        if gpus(self._instance_type):
            lines += [self.metric_gpu(), self.metric_gpu_memory()]
        return Graph(title="Machines (%)", left=lines, right=[deployed])

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="/aws/sagemaker/Endpoints",
            metric_name=name,
            dimensions_map=self._dimensions,
            statistic="Average",
        )


def request_limits(*, overhead: cloudwatch.Metric, refused: cloudwatch.Metric) -> Sequence[Limit]:
    """What a caller of an answering endpoint may not have to wait for, or be refused."""
    return [
        Limit(
            name="Overhead",
            metric=overhead,
            threshold=OVERHEAD_US,
            meaning="One request in a hundred spends more than half a second in SageMaker, outside the model.",
        ),
        Limit(
            name="Refusals",
            metric=refused,
            threshold=REFUSED,
            meaning=f"More than {REFUSED:.0%} of the requests do not fit the model's signature.",
        ),
    ]


def request_habits(*, invocations: cloudwatch.Metric, latency: cloudwatch.Metric) -> Sequence[Habit]:
    """How much is usually asked, and how long an answer usually takes."""
    return [
        Habit(
            name="Requests",
            metric=invocations,
            meaning="There are unusually many or few requests for this hour of the week.",
            lower=True,
        ),
        Habit(name="Latency", metric=latency, meaning="The model takes unusually long for this hour of the week."),
    ]
