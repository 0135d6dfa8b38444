"""The two ways to watch an endpoint, behind one word of the configuration."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from baton.foundation.images import ManagedImages
from baton.foundation.scheduled_execution import ScheduleGroup
from baton.monitoring.clarify_inputs import MonitorQuestions
from baton.monitoring.launcher import MonitorLauncher
from baton.monitoring.managed_definitions import ManagedDefinitions
from baton.monitoring.managed_schedules import ManagedSchedules
from baton.monitoring.monitor_jobs import MonitorJobs, OpenMonitorJob
from baton.monitoring.open_schedules import OpenSchedules
from baton.monitoring.plan import MonitorPlan
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry
from baton.serving.endpoint import VARIANT
from baton.serving.kind import ServingKind
from baton.serving.served_version import ServedVersion


class MonitorBackend(Protocol):
    """What stands still while versions come and go; `watch` adds what belongs to a version, in its stack."""

    @property
    def schedules(self) -> ScheduleGroup | None:
        """Where EventBridge Scheduler keeps the schedules, and as whom it acts; None where it keeps none."""

    @property
    def is_managed(self) -> bool:
        """Whether SageMaker keeps the schedules and the definitions of their jobs."""

    def watch(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[MonitorPlan],
        served: ServingKind,
        version: ServedVersion,
    ) -> Mapping[str, str]:
        """Watch the served version; the names of schedules that a person may start on demand, by monitor."""

    @property
    def start_monitor(self) -> lambda_.IFunction | None:
        """The function that starts a monitor on demand, where there is one."""

    def outputs(self) -> Mapping[str, str]:
        """What operators need to know of it, by the name of the stack's output."""


class OpenBackend(Construct):
    """Our own scripts, as ordinary processing jobs on a schedule.

    Args:
        platform: The environment's foundation.
        jobs: Whom the jobs run as.
        registry: Knows the artefact of the served version.
        endpoint_name: What is watched.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        jobs: MonitorJobs,
        registry: ModelRegistry,
        endpoint_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._jobs = jobs
        self._job = OpenMonitorJob(self, "Job", jobs=jobs)
        self.launcher = MonitorLauncher(
            self,
            "Launcher",
            platform=platform,
            jobs=jobs,
            registry=registry,
            endpoint_name=endpoint_name,
            variant=VARIANT,
        )

    @property
    def schedules(self) -> ScheduleGroup | None:
        """The launcher's group."""
        return self.launcher.schedules

    @property
    def is_managed(self) -> bool:
        """False."""
        return False

    def watch(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[MonitorPlan],
        served: ServingKind,
        version: ServedVersion,
    ) -> Mapping[str, str]:
        """A schedule for each monitor."""
        schedules = OpenSchedules(
            scope,
            construct_id,
            plans=plans,
            jobs=self._jobs,
            job=self._job,
            launcher=self.launcher,
            endpoint_name=served.endpoint_name,
            version=version,
        )
        return schedules.schedule_names

    @property
    def start_monitor(self) -> lambda_.IFunction | None:
        """The launcher, which the schedules call too."""
        return self.launcher.handler.function

    def outputs(self) -> Mapping[str, str]:
        """The function that starts a monitor on demand."""
        return {"StartMonitorFunctionName": self.launcher.handler.function.function_name}


class ManagedBackend(Construct):
    """Model Monitor and Clarify.

    Args:
        jobs: Whom the jobs run as.
        images: Their containers.
    """

    def __init__(self, scope: Construct, construct_id: str, *, jobs: MonitorJobs, images: ManagedImages) -> None:
        super().__init__(scope, construct_id)
        self._jobs = jobs
        self._images = images
        self._questions = MonitorQuestions(self, "Questions", jobs=jobs)

    @property
    def schedules(self) -> ScheduleGroup | None:
        """None: SageMaker keeps them."""
        return None

    @property
    def is_managed(self) -> bool:
        """True."""
        return True

    def watch(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[MonitorPlan],
        served: ServingKind,
        version: ServedVersion,
    ) -> Mapping[str, str]:
        """A job definition and a monitoring schedule for each monitor; SageMaker offers no run on demand."""
        monitors = Construct(scope, construct_id)
        definitions = ManagedDefinitions(
            monitors,
            "Definitions",
            plans={plan.name: plan for plan in plans},
            jobs=self._jobs,
            images=self._images,
            questions=self._questions,
            served=served,
            version=version,
        )
        ManagedSchedules(monitors, "Schedules", plans=plans, definitions=definitions, served=served, version=version)
        return {}

    @property
    def start_monitor(self) -> lambda_.IFunction | None:
        """None: SageMaker starts them, and only on schedule."""
        return None

    def outputs(self) -> Mapping[str, str]:
        """Nothing: its schedules are named after their endpoint."""
        return {}


class NoBackend(Construct):
    """Of a model that no monitor can watch, because nothing captures what it is asked. Its file accepts that."""

    @property
    def schedules(self) -> ScheduleGroup | None:
        """None: there is nothing to start."""
        return None

    @property
    def is_managed(self) -> bool:
        """False."""
        return False

    def watch(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[MonitorPlan],
        served: ServingKind,
        version: ServedVersion,
    ) -> Mapping[str, str]:
        """Nothing is watched."""
        return {}

    @property
    def start_monitor(self) -> lambda_.IFunction | None:
        """None: there is nothing to start."""
        return None

    def outputs(self) -> Mapping[str, str]:
        """Nothing."""
        return {}


def monitor_backend(
    scope: Construct,
    construct_id: str,
    *,
    platform: Platform,
    jobs: MonitorJobs,
    registry: ModelRegistry,
    endpoint_name: str,
    plans: Sequence[MonitorPlan],
) -> MonitorBackend:
    """The backend that the environment's configuration names; the jobs have checked that its region offers it."""
    if not plans:
        return NoBackend(scope, construct_id)
    if jobs.images.managed is not None and platform.analysis_backend == "managed":
        return ManagedBackend(scope, construct_id, jobs=jobs, images=jobs.images.managed)
    return OpenBackend(
        scope, construct_id, platform=platform, jobs=jobs, registry=registry, endpoint_name=endpoint_name
    )
