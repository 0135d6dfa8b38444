"""How the serving stack and its endpoint stand, read the same way by every step of the reconcile workflow."""

import os
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipeline_scripts.functions.reconcile_parameters import INSTANCE_TYPE, PACKAGE

SETTLED = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
)
"""Stack states in which nothing moves and an update is accepted."""

STRANDED = "UPDATE_ROLLBACK_FAILED"
"""The one state that a continued roll-back leaves. Every other one moves, is settled, or needs a person."""

MISSING = "missing"
LOST = frozenset({"Failed", "OutOfService", MISSING})
"""Endpoint states that answer nobody, and that SageMaker lets nothing but a deletion leave."""


class StackNeedsAPerson(Exception):
    """The serving stack is in a state that no call of ours leaves."""


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
    def stranded(self) -> bool:
        """An update failed, and so did its roll-back."""
        return self.status == STRANDED

    @property
    def package_arn(self) -> str:
        """The version that its parameters ask for, or `none`."""
        return self.parameters[PACKAGE]

    @property
    def instance_type(self) -> str:
        """The machines that its parameters ask for; empty where they cannot be chosen by a parameter."""
        return self.parameters.get(INSTANCE_TYPE, "")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The endpoint at one moment; `said` tells its status in a sentence, with SageMaker's reason."""

    status: str
    config_name: str
    said: str

    @property
    def lost(self) -> bool:
        """It answers nobody, and SageMaker lets nothing but a deletion happen to it."""
        return self.status in LOST


def read_stack(cloudformation: Any, name: str) -> ServingStack:
    """Describe the serving stack."""
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return ServingStack(
        name=name,
        status=stack["StackStatus"],
        parameters={entry["ParameterKey"]: entry["ParameterValue"] for entry in stack.get("Parameters", [])},
        outputs={entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])},
    )


def endpoint_to_watch() -> str | None:
    """The endpoint that the function's environment names; None where versions are served without one, in batches."""
    return None if os.environ["SERVING_KIND"] == "batch" else os.environ["ENDPOINT_NAME"]


def read_endpoint(sagemaker: Any, name: str) -> Endpoint:
    """Describe an endpoint, also one that is not there."""
    try:
        found = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return Endpoint(status=MISSING, config_name="", said=f"there is no endpoint {name}")
    status = found["EndpointStatus"]
    why = f": {found['FailureReason']}" if found.get("FailureReason") else ""
    return Endpoint(status=status, config_name=found.get("EndpointConfigName", ""), said=f"{name} is {status}{why}")
