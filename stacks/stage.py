"""One environment: all its stacks, wired once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.foundation.platform import Platform
from baton.specification import ModelSpecification
from stacks.acknowledgements import acknowledge
from stacks.data_lake_stack import DataLakeStack
from stacks.ingestion_stack import IngestionStack
from stacks.settings import Environment
from stacks.training_stack import TrainingStack


class EnvironmentStage(cdk.Stage):
    """The shared stacks of one environment, and for each model the stacks of its stations.

    Args:
        environment: What differs between environments.
        models: The models to carry.
        source: The project's folder, whose files are shipped.
        commit: The state of the code that is deployed.
        author: Whose it is.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        models: Sequence[ModelSpecification],
        source: Path,
        commit: str,
        author: str,
    ) -> None:
        super().__init__(
            scope, construct_id, env=cdk.Environment(account=environment.account, region=environment.region)
        )
        self._environment = environment
        lake = DataLakeStack(
            self,
            "DataLake",
            stack_name=f"baton-{environment.name}-data-lake",
            environment=environment,
            models=models,
            source=source,
            commit=commit,
            author=author,
        )
        for model in models:
            self._carry(model, lake.platform)
        cdk.Tags.of(self).add("baton:environment", environment.name)
        acknowledge(self)

    def _carry(self, model: ModelSpecification, platform: Platform) -> None:
        """One model's stacks, in the order a version passes them."""
        shared: dict[str, Any] = {"platform": platform, "model": model}
        IngestionStack(self, **self._identity(model, "ingestion"), environment=self._environment, **shared)
        TrainingStack(self, **self._identity(model, "training"), **shared)

    def _identity(self, model: ModelSpecification, station: str) -> dict[str, str]:
        return {
            "construct_id": f"{model.construct_id}{station.capitalize()}",
            "stack_name": f"baton-{self._environment.name}-{model.slug}-{station}",
        }
