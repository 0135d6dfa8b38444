"""What every kind of serving has, so that nobody who works with one has to ask which it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from baton.foundation.scheduled_execution import ScheduleGroup
from baton.observability.dashboard import Graph
from baton.observability.strain import Habit, Limit

Holding = Literal["endpoint", "scaling", "scheduled_scaling"]
"""What comes and goes with a version, beside the model itself: whoever updates the stack needs a permission for it."""


class ServingKind(Protocol):
    """A model that serves: behind an endpoint, or in a transform job."""

    @property
    def kind(self) -> str:
        """As the model's file calls it."""

    @property
    def endpoint_name(self) -> str:
        """What callers, metrics and the ledger call it; of a batch, no endpoint bears it."""

    @property
    def endpoint_arn(self) -> str:
        """The endpoint that may be asked; of a batch, there is none of it."""

    @property
    def role(self) -> iam.IRole:
        """As whom the container runs."""

    @property
    def resource(self) -> cdk.CfnResource:
        """The last of its resources: what needs a served version waits for it."""

    @property
    def alarms(self) -> Sequence[cloudwatch.IAlarm]:
        """What must not happen while it serves."""

    @property
    def instance_type(self) -> str | None:
        """On what it runs, where changing that takes the steps that scaling asks for; None elsewhere."""

    @property
    def deployment_limit(self) -> cdk.Duration:
        """What SageMaker may take to move it to another version."""

    @property
    def version_outputs(self) -> Mapping[str, str]:
        """What proves which version it is, by the name of the stack's output."""

    @property
    def holds(self) -> frozenset[Holding]:
        """What comes and goes with a version."""

    @property
    def version_alarm_names(self) -> tuple[str, ...]:
        """Alarms that come and go with a version, by their names."""

    @property
    def schedules(self) -> ScheduleGroup | None:
        """Where the schedule is kept that comes and goes with a version, if there is one."""

    @property
    def invoke_actions(self) -> tuple[str, ...]:
        """The calls that ask it."""

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` ask for predictions, and nothing more."""

    def metric_invocations(self) -> cloudwatch.Metric:
        """How often it was asked, over 5 minutes."""

    def metric_server_errors(self) -> cloudwatch.Metric:
        """How often it failed to answer, over 5 minutes."""

    def limits(self) -> Sequence[Limit]:
        """What it can be short of, and where that becomes too much; nothing where nothing stands ready."""

    def habits(self) -> Sequence[Habit]:
        """What is compared with its own past."""

    def graphs(self) -> Sequence[Graph]:
        """What a dashboard shows of it."""

    def monitor_input(self, local_path: str, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Where Model Monitor finds what was asked and answered, in the terms of its job definitions."""
