"""The stack that feeds one model by itself: from its source's schedule to a training on what has changed."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from baton.etl.glue_job import GlueEtlJob
from baton.etl.quality_ruleset import QualityRuleset
from baton.foundation.ledger import Ledger
from baton.ingestion.starts import IngestionStarts, SourceFiles
from baton.ingestion.steps import IngestionSteps
from baton.ingestion.watch import IngestionWatch
from baton.ingestion.workflow import IngestionWorkflow
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from stacks.connections import FileConnection
from stacks.settings import Environment

# The job may take two hours, twice; before it may lie a wait for Glue, and after it the features.
TIME_LIMIT = cdk.Duration.hours(8)

# A claim must outlive its execution, whose start is a little earlier.
CLAIM = TIME_LIMIT.plus(cdk.Duration.minutes(10))


class AutomationStack(cdk.Stack):
    """Ledger and workflow of one model's ingestions, what starts them, and who hears when they fail.

    Args:
        environment: Where the source is, and how often the workflow looks.
        platform: The environment's foundation.
        model: The model to feed.
        job: Its ETL job.
        quality: Its rules as Glue judges them; None where it has none.
        fill_features: Starts the job that fills its feature store; None where it has none.
        start_training: Starts a training of it; None where another environment trains it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        platform: Platform,
        model: ModelSpecification,
        job: GlueEtlJob,
        quality: QualityRuleset | None,
        fill_features: lambda_.IFunction | None,
        start_training: lambda_.IFunction | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.ledger = Ledger(
            self,
            "Ledger",
            partition_key="model",
            sort_key="entry",
            key=platform.keys.operations,
            removal_policy=platform.removal_policy,
        )
        steps = IngestionSteps(
            self,
            "Steps",
            platform=platform,
            model=model.name,
            source=model.source.label,
            ledger=self.ledger,
            claim=CLAIM,
        )
        self.workflow = IngestionWorkflow(
            self,
            "Workflow",
            steps=steps,
            job=job,
            quality=quality,
            fill_features=fill_features,
            start_training=start_training if model.automation.train_on_new_data else None,
            poll=cdk.Duration.seconds(environment.poll_seconds),
            time_limit=TIME_LIMIT,
            key=platform.keys.operations,
            log_retention=platform.log_retention,
        )
        steps.let_see(self.workflow.machine)
        IngestionStarts(
            self,
            "Starts",
            platform=platform,
            model=model,
            machine=self.workflow.machine,
            files=_files(environment, model),
        )
        self.watch = IngestionWatch(self, "Watch", platform=platform, model=model, machine=self.workflow.machine)
        cdk.CfnOutput(self, "IngestionStateMachineArn", value=self.workflow.machine.state_machine_arn)
        cdk.CfnOutput(self, "IngestionLedgerTableName", value=self.ledger.table.table_name)


def _files(environment: Environment, model: ModelSpecification) -> SourceFiles | None:
    connection = environment.connections[model.source.connection]
    if not isinstance(connection, FileConnection) or model.source.table is None:
        return None
    return SourceFiles(bucket=connection.bucket, prefix=model.source.table)
