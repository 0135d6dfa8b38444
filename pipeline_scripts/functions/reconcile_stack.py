"""How the serving stack stands, read the same way by every step of the reconcile workflow."""

from dataclasses import dataclass
from typing import Any

NOTHING = "none"
"""The value of the version parameters while no version is served."""

VERSION_PARAMETERS = ("ModelPackageArn", "ModelVersion", "EvidenceUri")

SETTLED = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
)
"""Stack states in which nothing moves and an update is accepted; every other state moves or needs a person."""


@dataclass(frozen=True, kw_only=True)
class ServingStack:
    """The serving stack at one moment."""

    name: str
    status: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def moving(self) -> bool:
        """CloudFormation is still at work on it."""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def settled(self) -> bool:
        """It stands still and accepts an update."""
        return self.status in SETTLED

    @property
    def package_arn(self) -> str:
        """The version that its parameters ask for, or `none`."""
        return self.parameters[VERSION_PARAMETERS[0]]


def read_stack(cloudformation: Any, name: str) -> ServingStack:
    """Describe the serving stack."""
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return ServingStack(
        name=name,
        status=stack["StackStatus"],
        parameters={entry["ParameterKey"]: entry["ParameterValue"] for entry in stack.get("Parameters", [])},
        outputs={entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])},
    )
