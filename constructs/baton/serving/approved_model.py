"""The approved version, as something that an endpoint can run."""

from aws_cdk import Tags
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.foundation.container_role import ContainerRole
from baton.platform import Platform
from baton.serving.served_version import ServedVersion
from baton.specification.model import ModelSpecification


class ApprovedModel(Construct):
    """A model made of the registered package, in the private subnets and without a network of its own.

    Artefact, image and environment come from the registry, so what runs is what was approved. The role outlives the
    versions: an endpoint that is being deleted still needs it.

    Args:
        platform: Keys, zones and network.
        specification: The model.
        version: Which version is served.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        version: ServedVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        container = ContainerRole(
            self,
            "Role",
            description=f"Runs the endpoint of {specification.name}",
            network=platform.network,
            images=[platform.images.xgboost],
            log_group_prefix="/aws/sagemaker/Endpoints/",
        )
        prefix = f"{specification.name}/"
        container.grant_read(platform.version_files.models, prefix, platform.version_files.key)
        container.grant_write(platform.zones.monitoring, f"{prefix}capture/", platform.keys.data)
        container.grant_volumes(platform.keys.models)
        self.role = container.role
        model = sagemaker.CfnModel(
            self,
            "Resource",
            execution_role_arn=self.role.role_arn,
            enable_network_isolation=True,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(model_package_name=version.package_arn),
            vpc_config=sagemaker.CfnModel.VpcConfigProperty(
                subnets=platform.network.subnet_ids, security_group_ids=platform.network.security_group_ids
            ),
        )
        # SageMaker reads the artefact as this role while it makes the model, so its policies must be there first.
        model.node.add_dependency(container)
        Tags.of(model).add("baton:model-version", version.number)
        version.only_while_served(model)
        self.resource = model
        self.model_name = model.attr_model_name
