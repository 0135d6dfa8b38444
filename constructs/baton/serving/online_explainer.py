"""Explanations with the answers, by SageMaker Clarify at the endpoint."""

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.foundation.container_role import ContainerRole
from baton.platform import Platform
from baton.serving.served_version import NOTHING, ServedVersion, condition, parameter
from baton.specification.explainer import Explainer
from baton.specification.model import ModelSpecification

UNKNOWN = "unknown"
ROWS_IN_A_REQUEST = 1000
MEGABYTES_IN_A_REQUEST = 6


class OnlineExplainer(Construct):
    """Asks the model, on its own instances, what it would have answered had an input been that of a typical record.

    That record lies with the version's signed evidence. Names and types of the inputs are the version's as well, and
    come by a stack parameter; without it, as on the day an explainer is added, the endpoint serves and explains
    nothing.

    Args:
        platform: Zones and keys.
        specification: The model.
        explainer: What it explains.
        container: As whom the endpoint runs, which has to read the record.
        version: Which version is served.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-online-explainability.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        specification: ModelSpecification,
        explainer: Explainer,
        container: ContainerRole,
        version: ServedVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        self._explainer, self._version = explainer, version
        inputs = parameter(
            self,
            "ExplainedInputs",
            default=NOTHING,
            pattern=r"^(none|unknown|[A-Za-z0-9_,]+;[a-z,]+)$",
            description="The version's inputs, and after a semicolon the type of each; unknown where it tells none.",
        )
        self._inputs = inputs.value_as_string
        told = [cdk.Fn.condition_equals(inputs, value) for value in (NOTHING, UNKNOWN)]
        self._exists = condition(
            self, "HasExplainer", cdk.Fn.condition_and(version.is_named, *map(cdk.Fn.condition_not, told))
        )
        files = platform.version_files
        container.grant_read(files.evidence, f"{specification.name}/*/evaluation/shap_baseline.csv", files.key)

    def add_to(self, config: sagemaker.CfnEndpointConfig) -> None:
        """Let endpoints of this configuration explain."""
        config.explainer_config = self._render()
        Validations.of(config).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::F3031",
                reason="Its baseline's URI begins with none only as long as the condition leaves the explainer out.",
            )
        )

    def _render(self) -> cdk.IResolvable:
        """As CloudFormation writes it, because the CDK's own type cannot stand in a condition."""
        names, types = (cdk.Fn.split(",", cdk.Fn.select(place, cdk.Fn.split(";", self._inputs))) for place in (0, 1))
        config = {
            "EnableExplanations": self._explainer.rows,
            "InferenceConfig": {
                "FeatureHeaders": names,
                "FeatureTypes": types,
                "ProbabilityIndex": 0,
                "MaxRecordCount": ROWS_IN_A_REQUEST,
                "MaxPayloadInMB": MEGABYTES_IN_A_REQUEST,
            },
            "ShapConfig": {
                "NumberOfSamples": self._explainer.samples,
                "Seed": self._explainer.seed,
                "ShapBaselineConfig": {
                    "MimeType": "text/csv",
                    "ShapBaselineUri": f"{self._version.evidence_uri}/evaluation/shap_baseline.csv",
                },
            },
        }
        return cdk.Fn.condition_if(self._exists.logical_id, {"ClarifyExplainerConfig": config}, cdk.Aws.NO_VALUE)
