"""Which version is served: the only thing about the serving stack that changes without a deployment."""

import aws_cdk as cdk
from constructs import Construct

NOTHING = "none"


class ServedVersion(Construct):
    """Three stack parameters, and the condition under which there is anything to serve.

    The reconcile workflow sets them; `cdk deploy` keeps what they are. The names are a contract with that workflow, so
    they do not follow from where this construct stands.

    Args:
        group_name: The model package group; versions of other groups are refused by CloudFormation itself.
    """

    def __init__(self, scope: Construct, construct_id: str, *, group_name: str) -> None:
        super().__init__(scope, construct_id)
        package = self._parameter(
            "ModelPackageArn",
            pattern=rf"^(none|arn:[a-z-]+:sagemaker:[a-z0-9-]+:\d{{12}}:model-package/{group_name}/\d+)$",
            description="The approved model package; none while there is none.",
        )
        version = self._parameter("ModelVersion", pattern=r"^(none|\d+)$", description="Its number.")
        evidence = self._parameter(
            "EvidenceUri", pattern=r"^(none|s3://[^\s]+[^/\s])$", description="Where its evidence and baselines lie."
        )
        self.package_arn = package.value_as_string
        self.number = version.value_as_string
        self.evidence_uri = evidence.value_as_string
        self.exists = cdk.CfnCondition(
            self, "HasApprovedVersion", expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(package, NOTHING))
        )
        self.exists.override_logical_id("HasApprovedVersion")

    def only_while_served(self, *parts: Construct) -> None:
        """Leave every resource of `parts` out of the stack while no version is served."""
        for part in parts:
            for node in part.node.find_all():
                if isinstance(node, cdk.CfnResource):
                    node.cfn_options.condition = self.exists

    def _parameter(self, name: str, *, pattern: str, description: str) -> cdk.CfnParameter:
        parameter = cdk.CfnParameter(self, name, default=NOTHING, allowed_pattern=pattern, description=description)
        parameter.override_logical_id(name)
        return parameter
