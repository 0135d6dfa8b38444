"""The stack that says who may do what."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.governance.governed_model import GovernedModel
from baton.governance.studio import StudioDomain
from baton.governance.team import Team
from baton.governance.work import Work
from baton.platform import Platform


class GovernanceStack(cdk.Stack):
    """The personas of one environment.

    Args:
        platform: The environment's foundation.
        models: The models they work on.
        database_name: The catalogue's database.
        work_group_name: Where they query it.
        studio: Where they open notebooks; None in an environment without Studio.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        models: Sequence[GovernedModel],
        database_name: str,
        work_group_name: str,
        studio: StudioDomain | None = None,
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
        self.team = Team(self, "Team", work=work, studio=studio)
        for persona in self.team.personas.values():
            cdk.CfnOutput(self, f"{persona.node.id}RoleArn", value=persona.role.role_arn)
