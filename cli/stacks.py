"""What was deployed, by the names CloudFormation gives it."""

import re
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from cli.connection import Connection
from cli.errors import BatonError

SHARED = ("data-lake", "governance")
PER_MODEL = (
    "ingestion",
    "features",
    "training",
    "automation",
    "monitoring",
    "serving",
    "approval",
    "dashboard",
)


@dataclass
class Platform:
    """One environment's stacks, seen through one model.

    Args:
        connection: Where to ask.
        environment: dev, staging or prod.
        model: The model's name; left out, the only one that is deployed.
    """

    connection: Connection
    environment: str
    model: str = ""
    _outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Settle which model is meant."""
        self.model = self.model.replace("-", "_") or self._only_model()

    def caller(self) -> str:
        """The name of whoever calls, as IAM knows it: of a user, or of a role's session."""
        return re.split("[:/]", str(self.client("sts").get_caller_identity()["Arn"]))[-1]

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self.connection.client(service)

    def stack_name(self, part: str) -> str:
        """The stack that holds a part of the platform, such as `serving`."""
        middle = "" if part in SHARED else f"{self.model.replace('_', '-')}-"
        return f"baton-{self.environment}-{middle}{part}"

    def stack_names(self) -> list[str]:
        """The stacks of this environment and model."""
        return [self.stack_name(part) for part in (*SHARED, *PER_MODEL)]

    def output(self, part: str, name: str) -> str:
        """An output of a stack.

        Raises:
            BatonError: The stack is not deployed, or has no such output.
        """
        value = self.optional(part, name)
        if value is None:
            stack = self.stack_name(part)
            raise BatonError(f"stack {stack} has no output {name}; deploy it again: make deploy ENV={self.environment}")
        return value

    def optional(self, part: str, name: str) -> str | None:
        """An output that is there only while a condition holds, or in some environments."""
        if part not in self._outputs:
            self._outputs[part] = self._read(part)
        return self._outputs[part].get(name)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stage that a version must be approved for here, and those after it; none for an own registry."""
        return tuple(filter(None, (self.optional("approval", "Stages") or "").split(",")))

    def refresh(self) -> None:
        """Forget what was read: a workflow may have moved a stack since."""
        self._outputs.clear()

    def _read(self, part: str) -> dict[str, str]:
        name = self.stack_name(part)
        try:
            stack = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in error.response.get("Error", {}).get("Message", ""):
                raise
            if part == "training" and self.stages:
                trained_in = self.output("approval", "TrainedIn")
                raise BatonError(
                    f"{self.environment} serves what {trained_in} trains; ask there: --env {trained_in}"
                ) from error
            raise BatonError(
                f"stack {name} is not deployed in {self.connection.session.region_name}; "
                f"deploy it with: make deploy ENV={self.environment}"
            ) from error
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def _only_model(self) -> str:
        models = deployed_models(self.connection, self.environment)
        if not models:
            raise BatonError(
                f"no model is deployed in {self.environment}; deploy with: make deploy ENV={self.environment}"
            )
        if len(models) > 1:
            raise BatonError(
                f"{self.environment} has {len(models)} models; choose one with --model: {', '.join(models)}"
            )
        return models[0].replace("-", "_")


def deployed_models(connection: Connection, environment: str) -> list[str]:
    """The models of an environment, as its stacks' names have them."""
    start, end = f"baton-{environment}-", "-serving"
    pages = connection.client("cloudformation").get_paginator("describe_stacks").paginate()
    names = [str(stack["StackName"]) for page in pages for stack in page["Stacks"]]
    return sorted(name[len(start) : -len(end)] for name in names if name.startswith(start) and name.endswith(end))
