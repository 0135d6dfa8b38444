"""What starts the reconcile workflow, and who hears when it does not do its work."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.observability.alarm import OperatorAlarm
from baton.observability.dead_letters import DeadLetters
from baton.permissions import allow
from baton.platform import Platform
from baton.registry.model_registry import ModelRegistry

SWEEP = "rate(10 minutes)"
"""How long an approval may wait whose event was lost. A run with nothing to do costs one function call."""

GIVE_UP_AFTER = 600  # seconds: then the next sweep is due


class ReconcileTriggers(Construct):
    """Starts the workflow when a version is approved or rejected, and regularly in case nobody told.

    Args:
        platform: Keys and notifications.
        registry: Whose versions are approved.
        machine: The workflow.
        endpoint_name: What it keeps in step.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        registry: ModelRegistry,
        machine: sfn.StateMachine,
        endpoint_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._machine = machine
        self.dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=platform.keys.operations,
            topic=platform.topic.topic,
            lost=f"Reconciling {endpoint_name} could not be started.",
        )
        rule = registry.on_status_change(
            self, "VersionDecided", description=f"A version for {endpoint_name} was registered, approved or rejected"
        )
        rule.add_target(
            targets.SfnStateMachine(
                machine,
                input=events.RuleTargetInput.from_object({"cause": "a version's status changed"}),
                dead_letter_queue=self.dead_letters.queue,
                retry_attempts=5,
                max_event_age=cdk.Duration.seconds(GIVE_UP_AFTER),
            )
        )
        self._sweep()
        self.alarms = self._alarms(platform, endpoint_name)

    def _sweep(self) -> None:
        role = iam.Role(
            self,
            "SweepRole",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
            description="Starts the reconcile workflow regularly",
        )
        allow(role, ["states:StartExecution"], [self._machine.state_machine_arn])
        self.dead_letters.grant_send(role)
        scheduler.CfnSchedule(
            self,
            "Sweep",
            description="Finds approvals whose event was lost",
            schedule_expression=SWEEP,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._machine.state_machine_arn,
                role_arn=role.role_arn,
                input=cdk.Stack.of(self).to_json_string({"cause": "sweep"}),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.dead_letters.queue.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=3, maximum_event_age_in_seconds=GIVE_UP_AFTER
                ),
            ),
        )

    def _alarms(self, platform: Platform, endpoint_name: str) -> list[cloudwatch.IAlarm]:
        period = cdk.Duration.minutes(1)
        watched = {
            "Failed": (self._machine.metric_failed(period=period), "failed"),
            "TimedOut": (self._machine.metric_timed_out(period=period), "took too long"),
        }
        return [
            OperatorAlarm(
                self,
                construct_id,
                metric=metric,
                threshold=1,
                description=f"Reconciling {endpoint_name} {what}: it may not serve what was approved.",
                runbook="docs/runbook.md#reconcile",
                topic=platform.topic.topic,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            ).alarm
            for construct_id, (metric, what) in watched.items()
        ]
