"""Who may look into the registry."""

from aws_cdk import aws_iam as iam

from baton.permissions import acknowledge_wildcards
from baton.registry.model_versions import ModelVersions


def let_read(role: iam.Role, registry: ModelVersions) -> None:
    """Let a service's role list a model's versions and read each of them."""
    registry.grant_read(role)
    acknowledge_wildcards(
        role,
        [registry.versions_arn],
        reason="The registry numbers the versions of this one group; reading one changes nothing.",
    )
