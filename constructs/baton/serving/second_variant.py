"""A version beside the served one, behind the same endpoint: a challenger that answers, or a shadow that does not."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from constructs import Construct

from baton.platform import Platform
from baton.serving.approved_model import ApprovedModel
from baton.serving.fleet import Fleet
from baton.serving.served_version import SecondVersion, ServedVersion
from baton.specification.model import ModelSpecification
from baton.specification.serving import Challenger, Shadow


class SecondVariant(Construct):
    """Exists only while its parameter names a version; its numbers go by a name of their own.

    Weights are in percent. Of a shadow, it is the part of the requests that are copied.

    Args:
        platform: Keys, zones and network.
        specification: The model.
        beside: The served version's model, whose role it shares: it reads the same artefacts.
        version: The served version.
        endpoint_name: The endpoint.
        wanted: How many of the requests it gets, and on what it runs.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html
        https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        beside: ApprovedModel,
        version: ServedVersion,
        endpoint_name: str,
        wanted: Challenger | Shadow,
    ) -> None:
        super().__init__(scope, construct_id)
        self.answers = isinstance(wanted, Challenger)
        self.name = "Challenger" if self.answers else "Shadow"
        self._wanted = wanted
        self._version = SecondVersion(self, "Version", role=self.name, beside=version)
        self._model = ApprovedModel(
            self,
            "Model",
            platform=platform,
            specification=specification,
            version=self._version,
            name=f"{endpoint_name}-{self.name.lower()}",
            container=beside.container,
        )

    @property
    def weight_of_served(self) -> int:
        """The served version's share: all requests that a challenger does not get; a shadow takes none away."""
        return 100 - self._wanted.percent if self.answers else 100

    def production(self, fleet: Fleet) -> Sequence[cdk.IResolvable]:
        """The variant that answers requests, if this is one."""
        if not self.answers:
            return []
        return [cdk.Fn.condition_if(self._condition, self._variant(fleet.instance_type), cdk.Aws.NO_VALUE)]

    def shadow(self, fleet: Fleet) -> cdk.IResolvable | None:
        """The list of the variant that gets copies of requests, if this is one; SageMaker refuses an empty one."""
        if isinstance(self._wanted, Challenger):
            return None
        machine = self._wanted.instance_type or fleet.instance_type
        return cdk.Fn.condition_if(self._condition, [self._variant(machine)], cdk.Aws.NO_VALUE)

    @property
    def _condition(self) -> str:
        return self._version.exists.logical_id

    def _variant(self, instance_type: str) -> Mapping[str, object]:
        """As CloudFormation writes it, because the CDK's own type cannot stand in a condition."""
        return {
            "VariantName": self.name,
            "ModelName": self._model.model_name,
            "InstanceType": instance_type,
            "InitialInstanceCount": self._wanted.instance_count,
            "InitialVariantWeight": self._wanted.percent,
        }
