"""What is watched, when, and against what: the same for both backends."""

import re
from dataclasses import dataclass

from baton.specification.model import ModelSpecification

HOUR = 60  # minutes
DAY = 24 * HOUR
UNITS = {"minute": 1, "hour": HOUR, "day": DAY}


@dataclass(frozen=True, kw_only=True)
class MonitorPlan:
    """One of the four questions that are asked again and again about a served version.

    Args:
        name: As scripts and metrics call it.
        schedule: When it is asked, as a cron or rate expression.
        interval_minutes: How far apart that is.
        window_minutes: How much of the past is looked at.
        needs_labels: What really happened is needed, so the answer can only come when labels have.
        needs_model: The model itself is asked again.
    """

    name: str
    schedule: str
    interval_minutes: int
    window_minutes: int
    needs_labels: bool = False
    needs_model: bool = False

    @property
    def slug(self) -> str:
        """The name as AWS names want it: with hyphens."""
        return self.name.replace("_", "-")

    @property
    def construct_id(self) -> str:
        """The name as construct ids want it: in PascalCase."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    def schedule_name(self, endpoint_name: str) -> str:
        """What the schedule of this monitor is called, in both backends."""
        return f"{endpoint_name}-{self.slug}"


def monitor_plans(specification: ModelSpecification, *, backend: str) -> tuple[MonitorPlan, ...]:
    """The monitors of a model: the four, or those that can watch the way it is served, which may be none.

    Those that need labels look at a day at least: a label comes later than the prediction it belongs to.
    """
    schedule = specification.monitoring.schedule
    interval = interval_minutes(schedule)
    with_labels = max(interval, DAY)

    def plan(name: str, window: int, *, needs_labels: bool = False, needs_model: bool = False) -> MonitorPlan:
        return MonitorPlan(
            name=name,
            schedule=schedule,
            interval_minutes=interval,
            window_minutes=window,
            needs_labels=needs_labels,
            needs_model=needs_model,
        )

    plans = (
        plan("data_quality", interval),
        plan("model_quality", with_labels, needs_labels=True),
        plan("bias", with_labels, needs_labels=True),
        plan("explainability", interval, needs_model=True),
    )
    return tuple(plan for plan in plans if plan.name in specification.serving.watched_by(backend))


def interval_minutes(schedule: str) -> int:
    """How far apart the runs of a schedule are: of a rate exactly, of a cron by its hours, a day if it names them.

    Raises:
        ValueError: The rate is none, or more often than hourly, which is as finely as captured data is filed.
    """
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    if rate:
        minutes = int(rate[1]) * UNITS[rate[2]]
    elif schedule.startswith("cron("):
        hours = schedule.removeprefix("cron(").split()[1]
        step = re.fullmatch(r"(?:\*|\d+)/(\d+)", hours)
        minutes = int(step[1]) * HOUR if step else HOUR if hours == "*" else DAY
    else:
        minutes = 0
    if minutes < HOUR:
        raise ValueError(f"monitoring.schedule must be a cron, or a rate of an hour or more, got {schedule!r}")
    return minutes
