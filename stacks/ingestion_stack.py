"""The stack that fills the curated zone for one model."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.etl.glue_job import GlueEtlJob
from baton.etl.pseudonym_key import PseudonymKey
from baton.etl.quality_ruleset import QualityRuleset
from baton.foundation.runtime_code import JobCode
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from stacks.settings import Environment
from stacks.source_access import source_access


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
        self.source = source_access(
            self,
            connection=environment.connections[model.source.connection],
            source=model.source,
            platform=platform,
        )
        self.pseudonym_key = PseudonymKey(
            self, "PseudonymKey", key=platform.keys.vault, removal_policy=platform.removal_policy
        )
        self.job = GlueEtlJob(
            self,
            "Etl",
            platform=platform,
            model=model,
            source=self.source,
            pseudonym_key=self.pseudonym_key.secret,
            code=JobCode(self, "Code", model=model, source=platform.source, wheels=platform.wheels),
        )
        self.quality = QualityRuleset.of(self, "Quality", platform=platform, model=model)
        cdk.CfnOutput(self, "GlueJobName", value=self.job.job_name)
        cdk.CfnOutput(self, "ConnectionName", value=self.source.connection_name)
        if self.source.secret is not None:
            cdk.CfnOutput(self, "SourceSecretArn", value=self.source.secret.secret_arn)
        cdk.CfnOutput(self, "PseudonymKeySecretArn", value=self.pseudonym_key.secret.secret_arn)
