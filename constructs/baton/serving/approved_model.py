"""The approved version, as something that SageMaker can run."""

from typing import Protocol

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.foundation.container_role import ContainerRole
from baton.platform import Platform
from baton.serving.served_version import only_if
from baton.specification.model import ModelSpecification

ENDPOINT_LOGS = "/aws/sagemaker/Endpoints/"


class Version(Protocol):
    """The version that is made a model, and the condition under which there is one."""

    package_arn: str
    number: str
    exists: cdk.CfnCondition


class ApprovedModel(Construct):
    """A model made of the registered package, in the private subnets and without a network of its own.

    Artefact, image and environment come from the registry, so what runs is what was approved; only what its numbers
    are called in CloudWatch is added. The role outlives the versions: an endpoint that is being deleted still needs it.

    Args:
        platform: Keys, zones and network.
        specification: The model.
        version: Which version is served.
        name: What its numbers go by in CloudWatch.
        container: As whom it runs; a role of its own unless told.
        isolated: False where SageMaker offers neither subnets nor isolation.
        log_group_prefix: Where SageMaker writes its logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        version: Version,
        name: str,
        container: ContainerRole | None = None,
        isolated: bool = True,
        log_group_prefix: str = ENDPOINT_LOGS,
    ) -> None:
        super().__init__(scope, construct_id)
        network = platform.network if isolated else None
        self.container = container or ContainerRole(
            self,
            "Role",
            description=f"Runs the endpoint of {specification.name}",
            network=network,
            images=[platform.images.xgboost],
            log_group_prefix=log_group_prefix,
        )
        if container is None:
            self.container.grant_read(platform.zones.models, f"{specification.name}/", platform.keys.models)
            self.container.grant_volumes(platform.keys.models)
        self.resource = sagemaker.CfnModel(
            self,
            "Resource",
            execution_role_arn=self.container.role.role_arn,
            enable_network_isolation=isolated,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=version.package_arn, environment={"BATON_ENDPOINT_NAME": name}
            ),
            vpc_config=None
            if network is None
            else sagemaker.CfnModel.VpcConfigProperty(
                subnets=network.subnet_ids, security_group_ids=network.security_group_ids
            ),
        )
        # SageMaker reads the artefact as this role while it makes the model, so its policies must be there first.
        self.resource.node.add_dependency(self.container)
        cdk.Tags.of(self.resource).add("baton:model-version", version.number)
        only_if(version.exists, self.resource)
        self.model_name = self.resource.attr_model_name
