"""What starts an ingestion: the clock, somebody's word that the source is ready, a file that has arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from baton.foundation.scheduled_execution import ScheduledExecution
from baton.observability.dead_letters import DeadLetters
from baton.platform import Platform
from baton.specification.model import ModelSpecification

GIVE_UP_AFTER = cdk.Duration.hours(1)
READY_SOURCE, READY_TYPE = "baton.source", "Source Ready"


@dataclass(frozen=True, kw_only=True)
class SourceFiles:
    """Where a source's files arrive. The bucket must send its events to EventBridge, which its owner switches on."""

    bucket: str
    prefix: str


class IngestionStarts(Construct):
    """Starts the workflow on the model's schedule and, where the model says so, on an event.

    An event is a hint: what it says goes no further than this rule, and the source is read as always.

    Args:
        platform: Keys and notifications.
        model: Whose schedule it is.
        machine: The workflow.
        files: Where its files arrive; None where the source is none of files.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        machine: sfn.StateMachine,
        files: SourceFiles | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._machine = machine
        self._dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=platform.keys.operations,
            topic=platform.topic.topic,
            lost=f"An ingestion of {model.name} could not be started.",
        )
        ScheduledExecution(
            self,
            "Schedule",
            expression=model.source.schedule,
            machine=machine,
            message={"cause": "schedule"},
            description=f"Ingests {model.name}",
            give_up_after=GIVE_UP_AFTER,
            dead_letters=self._dead_letters,
        )
        if not model.automation.start_on_event:
            return
        self._start_on(
            "SourceReady",
            events.EventPattern(source=[READY_SOURCE], detail_type=[READY_TYPE], detail={"model": [model.name]}),
            description=f"Somebody says that the source of {model.name} is ready",
        )
        if files is not None:
            detail: Mapping[str, Any] = {
                "bucket": {"name": [files.bucket]},
                "object": {"key": [{"prefix": files.prefix}]},
            }
            self._start_on(
                "FileArrived",
                events.EventPattern(source=["aws.s3"], detail_type=["Object Created"], detail=detail),
                description=f"A file of {model.name} has arrived",
            )

    def _start_on(self, construct_id: str, pattern: events.EventPattern, *, description: str) -> None:
        rule = events.Rule(self, construct_id, description=description, event_pattern=pattern)
        rule.add_target(
            targets.SfnStateMachine(
                self._machine,
                input=events.RuleTargetInput.from_object({"cause": f"event: {description}"}),
                dead_letter_queue=self._dead_letters.queue,
                retry_attempts=5,
                max_event_age=GIVE_UP_AFTER,
            )
        )
