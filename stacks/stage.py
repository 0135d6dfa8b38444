"""One environment: all its stacks, wired once."""

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from baton.specification import ModelSpecification
from stacks.acknowledgements import acknowledge
from stacks.data_lake_stack import DataLakeStack
from stacks.settings import Environment


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
        DataLakeStack(
            self,
            "DataLake",
            stack_name=f"baton-{environment.name}-data-lake",
            environment=environment,
            models=models,
            source=source,
            commit=commit,
            author=author,
        )
        cdk.Tags.of(self).add("baton:environment", environment.name)
        acknowledge(self)
