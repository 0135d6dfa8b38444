"""The stack that holds Studio."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.governance.governed_model import GovernedModel
from baton.governance.studio import StudioDomain
from baton.governance.work import Work
from baton.platform import Platform
from stacks.settings import StudioSettings


class StudioStack(cdk.Stack):
    """Notebooks for the personas of one environment.

    Args:
        platform: The environment's foundation.
        settings: How the environment wants them.
        models: The models they work on.
        database_name: The catalogue's database.
        work_group_name: Where they query it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        settings: StudioSettings,
        models: Sequence[GovernedModel],
        database_name: str,
        work_group_name: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        work = Work(
            stack=self,
            platform=platform,
            models=models,
            database_name=database_name,
            work_group_name=work_group_name,
        )
        self.domain = StudioDomain(
            self,
            "Studio",
            platform=platform,
            duties=work.in_notebooks(),
            idle_minutes=settings.idle_minutes,
            directory_users={str(name): user for name, user in settings.directory_users.items()},
        )
        cdk.CfnOutput(self, "DomainId", value=self.domain.domain_id)
