"""The stack that turns one model's datasets into versions that wait for approval."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from baton.foundation.taker import Taker, in_other_accounts
from baton.observability.failure_notice import FailureNotice
from baton.platform import Platform
from baton.registry.event_forwarding import EventForwarding
from baton.registry.model_registry import ModelRegistry
from baton.registry.names import group_name
from baton.specification.model import ModelSpecification
from baton.training.pipeline import TrainingPipeline
from baton.training.reproduction import Reproduction
from baton.training.starter import TrainingStarter


class TrainingStack(cdk.Stack):
    """One model's registry, its pipeline, what starts that, and who hears when it fails.

    Args:
        platform: The environment's foundation.
        model: The model to train.
        takers: The environments that take its versions from here.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        takers: Sequence[Taker] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        name = group_name(platform.environment_name, model.slug)
        self.registry = ModelRegistry(
            self,
            "Registry",
            group_name=name,
            description=model.title,
            removal_policy=platform.removal_policy,
            environment=platform.environment_name,
            takers=takers,
        )
        self.pipeline = TrainingPipeline(
            self, "Pipeline", platform=platform, model=model, name=name, registry=self.registry
        )
        self.pipeline.signer.admit(takers)
        for taker in in_other_accounts(takers):
            EventForwarding(self, f"To{taker.sid}", platform=platform, registry=self.registry, taker=taker)
        starter = TrainingStarter(self, "Starter", platform=platform, model=model, pipeline=self.pipeline)
        self.start_training = starter.handler
        self.reproduce = Reproduction(
            self, "Reproduction", platform=platform, model=model, pipeline=self.pipeline, registry=self.registry
        ).function
        what = f"The training of {model.name}"
        execution = events.EventField.from_path("$.detail.pipelineExecutionArn")
        FailureNotice(
            self,
            "FailureNotice",
            rule=self.pipeline.on_failed(self, "Failed", description=f"{what} failed, or its gate refused a version"),
            key=platform.keys.operations,
            topic=platform.topic.topic,
            what=what,
            message=f"Baton {platform.environment_name}: {what}, execution {execution}, failed.",
            runbook="docs/runbook.md#training-failed",
        )
        cdk.CfnOutput(self, "PipelineName", value=self.pipeline.pipeline_name)
        cdk.CfnOutput(self, "PipelineArn", value=self.pipeline.pipeline_arn)
        cdk.CfnOutput(self, "ModelPackageGroupName", value=self.registry.group_name)
        cdk.CfnOutput(self, "ReproduceFunctionName", value=self.reproduce.function_name)
        cdk.CfnOutput(self, "StartTrainingFunctionName", value=self.start_training.function.function_name)
