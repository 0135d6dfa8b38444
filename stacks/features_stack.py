"""The stack that shares one model's inputs through the Feature Store."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from baton.features.feature_filling import FeatureFilling
from baton.features.feature_group import FeatureGroup
from baton.platform import Platform
from baton.specification.model import ModelSpecification


class FeaturesStack(cdk.Stack):
    """One model's feature group, and what fills it.

    Args:
        platform: The environment's foundation.
        model: A model with a feature store.
        database_name: The catalogue's database.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        database_name: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        # A new version is a new group beside the old one, which CloudFormation then keeps or deletes as its own thing.
        version = model.feature_store.version if model.feature_store else 1
        group_id = "Group" if version == 1 else f"GroupV{version}"
        self.group = FeatureGroup(self, group_id, platform=platform, model=model, database_name=database_name)
        self.filling = FeatureFilling(self, "Filling", platform=platform, model=model, group=self.group)
        cdk.CfnOutput(self, "FeatureGroupName", value=self.group.name)
        cdk.CfnOutput(self, "StartFeaturesFunctionName", value=self.filling.function.function_name)
