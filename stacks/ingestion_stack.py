"""The stack that fills the curated zone for one model."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.etl.glue_job import GlueEtlJob
from baton.etl.jdbc_source import JdbcSource
from baton.etl.source_connection import PseudonymKey, SourceConnection
from baton.foundation.runtime_code import JobCode
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from stacks.connections import RelationalConnection
from stacks.settings import Environment


class IngestionStack(cdk.Stack):
    """One model's source, its secrets and its ETL job.

    Args:
        environment: Where the model's connection leads in this environment.
        platform: The environment's foundation.
        model: The model to feed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        platform: Platform,
        model: ModelSpecification,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        database = environment.connections[model.source.connection]
        if not isinstance(database, RelationalConnection):
            raise ValueError(f"{model.name}: {database.engine} is not read yet")
        self.connection = SourceConnection(
            self,
            "Source",
            source=JdbcSource(
                engine=database.engine, host=database.host, port=database.port, database=database.database
            ),
            network=platform.network,
            key=platform.keys.vault,
            removal_policy=platform.removal_policy,
        )
        self.pseudonym_key = PseudonymKey(
            self, "PseudonymKey", key=platform.keys.vault, removal_policy=platform.removal_policy
        )
        self.job = GlueEtlJob(
            self,
            "Etl",
            platform=platform,
            model=model,
            connection=self.connection,
            pseudonym_key=self.pseudonym_key.secret,
            code=JobCode(self, "Code", model=model, source=platform.source, wheels=platform.wheels),
        )
        cdk.CfnOutput(self, "GlueJobName", value=self.job.job_name)
        cdk.CfnOutput(self, "ConnectionName", value=self.connection.connection_name)
        cdk.CfnOutput(self, "SourceSecretArn", value=self.connection.secret.secret_arn)
        cdk.CfnOutput(self, "PseudonymKeySecretArn", value=self.pseudonym_key.secret.secret_arn)
