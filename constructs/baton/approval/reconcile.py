"""What starts the reconcile workflow, and who hears when it does not do its work."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.foundation.scheduled_execution import ScheduledExecution
from baton.observability.alarm import OperatorAlarm
from baton.observability.dead_letters import DeadLetters
from baton.platform import Platform
from baton.registry.model_versions import ModelVersions

SWEEP = "rate(10 minutes)"
"""How long an approval may wait whose event was lost. A run with nothing to do costs one function call."""

GIVE_UP_AFTER = cdk.Duration.minutes(10)  # then the next sweep is due


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
        registry: ModelVersions,
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
                max_event_age=GIVE_UP_AFTER,
            )
        )
        ScheduledExecution(
            self,
            "Sweep",
            expression=SWEEP,
            machine=machine,
            message={"cause": "sweep"},
            description="Finds approvals whose event was lost",
            give_up_after=GIVE_UP_AFTER,
            dead_letters=self.dead_letters,
        )
        self.alarms = self._alarms(platform, endpoint_name)

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
