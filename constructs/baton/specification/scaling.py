"""How many instances an endpoint has, and when."""

import math
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from baton.specification.base import Specification
from baton.specification.capacity import ServingCapacity


class ScheduledCapacity(Specification):
    """From a time on, at least so many `percent` of the environment's `max_instance_count`; 0 gives them back.

    `at` is a cron, a rate or an at expression of Application Auto Scaling, in the time of `timezone`.
    """

    at: Annotated[str, StringConstraints(pattern=r"^(cron|rate|at)\(.+\)$")]
    timezone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+(/[A-Za-z_+-]+)*$")] = "UTC"
    percent: int = Field(ge=0, le=100)

    def instances_of(self, capacity: ServingCapacity) -> int:
        """The least number of instances from then on, in an environment of that size."""
        return max(capacity.instance_count, math.ceil(capacity.max_instance_count * self.percent / 100))


class Scaling(Specification):
    """What the number of instances follows, and what is kept ready by the clock.

    invocations follows `serving.invocations_per_instance`. concurrency follows how many requests each instance is busy
    with, seen every ten seconds instead of every minute: for answers that take long, or traffic that rises fast.
    """

    by: Literal["invocations", "concurrency"] = "invocations"
    concurrent_requests_per_instance: float = Field(default=4, gt=0, le=1000)
    schedule: tuple[ScheduledCapacity, ...] = Field(default=(), max_length=10)
