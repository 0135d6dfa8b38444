"""On which machines a version runs, and whether their number follows the traffic: parameters, as the version is."""

import aws_cdk as cdk
from constructs import Construct

from baton.serving.served_version import ServedVersion, condition, only_if, parameter

ON = "on"


class Fleet(Construct):
    """Two stack parameters, because SageMaker refuses another instance type while a variant is scaled.

    Changing it takes three updates of the stack: scaling off, the type, scaling on. The reconcile workflow does them.

    Args:
        instance_type: What a new stack begins with.
        version: Without it there is nothing to scale.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, instance_type: str, version: ServedVersion) -> None:
        super().__init__(scope, construct_id)
        machine = parameter(
            self,
            "InstanceType",
            default=instance_type,
            pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$",
            description="On what the version runs.",
        )
        scaling = parameter(
            self,
            "Scaling",
            default=ON,
            pattern=r"^(on|off)$",
            description="Whether the number of instances follows the traffic; off while the instance type changes.",
        )
        self.instance_type = machine.value_as_string
        self.scales = condition(
            self, "ScalingIsOn", cdk.Fn.condition_and(version.is_named, cdk.Fn.condition_equals(scaling, ON))
        )

    def only_while_scaled(self, *parts: Construct) -> None:
        """Leave every resource of `parts` out of the stack while scaling is off, or nothing is served."""
        only_if(self.scales, *parts)
