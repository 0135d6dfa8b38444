"""Which version is served: the only thing about the serving stack that changes without a deployment.

The reconcile workflow sets these parameters; `cdk deploy` keeps what they are. Their names are a contract with that
workflow, so they do not follow from where the constructs stand.
"""

import aws_cdk as cdk
from constructs import Construct

NOTHING = "none"


def parameter(scope: Construct, name: str, *, default: str, pattern: str, description: str) -> cdk.CfnParameter:
    """A stack parameter of exactly that name."""
    made = cdk.CfnParameter(scope, name, default=default, allowed_pattern=pattern, description=description)
    made.override_logical_id(name)
    return made


def condition(scope: Construct, name: str, expression: cdk.ICfnConditionExpression) -> cdk.CfnCondition:
    """A condition of exactly that name."""
    made = cdk.CfnCondition(scope, name, expression=expression)
    made.override_logical_id(name)
    return made


def only_if(wanted: cdk.CfnCondition, *parts: Construct) -> None:
    """Leave every resource of `parts` out of the stack while the condition does not hold."""
    for part in parts:
        for node in part.node.find_all():
            if isinstance(node, cdk.CfnResource):
                node.cfn_options.condition = wanted


class ServedVersion(Construct):
    """Three stack parameters, and the condition under which there is anything to serve.

    Args:
        group_name: The model package group; versions of other groups are refused by CloudFormation itself.
    """

    def __init__(self, scope: Construct, construct_id: str, *, group_name: str) -> None:
        super().__init__(scope, construct_id)
        self.pattern = rf"^(none|arn:[a-z-]+:sagemaker:[a-z0-9-]+:\d{{12}}:model-package/{group_name}/\d+)$"
        package = parameter(
            self,
            "ModelPackageArn",
            default=NOTHING,
            pattern=self.pattern,
            description="The approved model package; none while there is none.",
        )
        version = parameter(self, "ModelVersion", default=NOTHING, pattern=r"^(none|\d+)$", description="Its number.")
        evidence = parameter(
            self,
            "EvidenceUri",
            default=NOTHING,
            pattern=r"^(none|s3://[^\s]+[^/\s])$",
            description="Where its evidence and baselines lie.",
        )
        self.package_arn = package.value_as_string
        self.number = version.value_as_string
        self.evidence_uri = evidence.value_as_string
        self.is_named = cdk.Fn.condition_not(cdk.Fn.condition_equals(package, NOTHING))
        self.exists = condition(self, "HasApprovedVersion", self.is_named)

    def only_while_served(self, *parts: Construct) -> None:
        """Leave every resource of `parts` out of the stack while no version is served."""
        only_if(self.exists, *parts)


class SecondVersion(Construct):
    """A version beside the served one, named by a stack parameter, and the condition under which there is one.

    A person sets it, with the deployment or an update of the stack. The reconcile workflow leaves it as it is, and
    takes it away when the registry says that the version may not stand there.

    Args:
        role: What it is there for, which begins its names: `Challenger` or `Shadow`.
        beside: The version that is served; without it there is no second one either.
    """

    def __init__(self, scope: Construct, construct_id: str, *, role: str, beside: ServedVersion) -> None:
        super().__init__(scope, construct_id)
        package = parameter(
            self,
            f"{role}ModelPackageArn",
            default=NOTHING,
            pattern=beside.pattern,
            description=f"The model package of the {role.lower()}; none while there is none.",
        )
        self.package_arn = package.value_as_string
        self.number = cdk.Fn.select(2, cdk.Fn.split("/", package.value_as_string))
        is_named = cdk.Fn.condition_not(cdk.Fn.condition_equals(package, NOTHING))
        self.exists = condition(self, f"Has{role}", cdk.Fn.condition_and(beside.is_named, is_named))
