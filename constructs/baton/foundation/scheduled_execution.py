"""A workflow that is started by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.observability.dead_letters import DeadLetters
from baton.permissions import allow


@dataclass(frozen=True, kw_only=True)
class ScheduleGroup:
    """A group of schedules, and the role they act as."""

    name: str
    role: iam.Role


class ScheduledExecution(Construct):
    """Starts a state machine on a schedule, as a role that may do nothing else; a start that fails is kept.

    Args:
        expression: When: `cron(...)`, in UTC, or `rate(...)`.
        machine: What to start.
        message: Its input.
        description: What it is for, in one sentence.
        give_up_after: How long a start that fails is tried again.
        dead_letters: Where it goes then.
        group_name: The group of the schedule; the account's own unless told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expression: str,
        machine: sfn.IStateMachine,
        message: Mapping[str, str],
        description: str,
        give_up_after: cdk.Duration,
        dead_letters: DeadLetters,
        group_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"), description=description
        )
        allow(self.role, ["states:StartExecution"], [machine.state_machine_arn])
        dead_letters.grant_send(self.role)
        self.schedule = scheduler.CfnSchedule(
            self,
            "Resource",
            description=description,
            group_name=group_name,
            schedule_expression=expression,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=machine.state_machine_arn,
                role_arn=self.role.role_arn,
                input=cdk.Stack.of(self).to_json_string(dict(message)),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=3, maximum_event_age_in_seconds=int(give_up_after.to_seconds())
                ),
            ),
        )
