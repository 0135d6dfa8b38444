"""The stack that says who may do what."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.governance.team import GovernedModel, Team
from baton.platform import Platform


class GovernanceStack(cdk.Stack):
    """The personas of one environment.

    Args:
        platform: The environment's foundation.
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
        models: Sequence[GovernedModel],
        database_name: str,
        work_group_name: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.team = Team(
            self,
            "Team",
            platform=platform,
            models=models,
            database_name=database_name,
            work_group_name=work_group_name,
        )
        outputs = {
            "ComplianceOfficerRoleArn": self.team.compliance_officer,
            "DataScientistRoleArn": self.team.data_scientist,
            "DataEngineerRoleArn": self.team.data_engineer,
            "MlopsEngineerRoleArn": self.team.mlops_engineer,
        }
        for name, persona in outputs.items():
            cdk.CfnOutput(self, name, value=persona.role.role_arn)
