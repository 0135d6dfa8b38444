"""Tells people that a training failed, and that telling them failed."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from baton.observability.dead_letters import DeadLetters
from baton.platform import Platform
from baton.training.pipeline import TrainingPipeline


class FailureNotice(Construct):
    """A message to the operators for every failed execution, with a queue for messages that did not get through.

    A refusal by the gate counts as a failure: somebody should read its report.

    Args:
        platform: The environment's foundation.
        pipeline: The pipeline to watch.
    """

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform, pipeline: TrainingPipeline) -> None:
        super().__init__(scope, construct_id)
        dead_letters = DeadLetters(
            self,
            "DeadLetters",
            key=platform.keys.operations,
            topic=platform.topic.topic,
            what=f"The notice of a failed execution of {pipeline.pipeline_name}",
        )
        execution = events.EventField.from_path("$.detail.pipelineExecutionArn")
        ended = events.EventField.from_path("$.detail.executionEndTime")
        rule = pipeline.on_failed(self, "Failed", description=f"Executions of {pipeline.pipeline_name} that failed")
        rule.add_target(
            targets.SnsTopic(
                platform.topic.topic,
                dead_letter_queue=dead_letters.queue,
                message=events.RuleTargetInput.from_text(
                    f"Baton {platform.environment_name}: training execution {execution} failed at {ended}. "
                    "Describe it to read why: a step's failure, or what the gate refused."
                ),
            )
        )
