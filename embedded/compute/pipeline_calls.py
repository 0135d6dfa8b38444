"""How each step type that makes something in SageMaker is called, watched and stopped through the API."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ALPHABET = string.ascii_letters + string.digits
_NAME_LENGTH = 63


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of thing that a step makes.

    Attributes:
        metadata: Its key in a step's metadata.
        create: The API operation, as boto3 names it; likewise `describe` and `stop`.
        name: The request's field for its name; None where SageMaker chooses it.
        identity: The field of Create's answer and the parameter of Describe and Stop that identify it.
        status: The field of Describe's answer that tells its state; None where it is ready at once.
        local: The `Execution.*` variable that its own arguments may use for its name.
    """

    metadata: str
    create: str
    describe: str
    arn: str
    name: str | None
    identity: str
    status: str | None = None
    stop: str | None = None
    local: str | None = None
    tagged: bool = True


RESOURCES: Mapping[str, Resource] = {
    "Processing": Resource(
        metadata="ProcessingJob",
        create="create_processing_job",
        describe="describe_processing_job",
        stop="stop_processing_job",
        arn="ProcessingJobArn",
        name="ProcessingJobName",
        identity="ProcessingJobName",
        status="ProcessingJobStatus",
        local="ProcessingJobName",
    ),
    "Training": Resource(
        metadata="TrainingJob",
        create="create_training_job",
        describe="describe_training_job",
        stop="stop_training_job",
        arn="TrainingJobArn",
        name="TrainingJobName",
        identity="TrainingJobName",
        status="TrainingJobStatus",
        local="TrainingJobName",
    ),
    "Model": Resource(
        metadata="Model",
        create="create_model",
        describe="describe_model",
        arn="ModelArn",
        name="ModelName",
        identity="ModelName",
    ),
    "RegisterModel": Resource(
        metadata="RegisterModel",
        create="create_model_package",
        describe="describe_model_package",
        arn="ModelPackageArn",
        name=None,
        identity="ModelPackageName",
        status="ModelPackageStatus",
        tagged=False,  # the API takes tags for a group, not for its versions
    ),
}


def resource_name(*, prefix: str | None, execution_id: str, step: str) -> str:
    """The name SageMaker Pipelines gives to what a step makes: `pipelines-<execution>-<step>-<random>`."""
    suffix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    start = f"{prefix or 'pipelines'}-{execution_id}-"
    middle = "" if prefix else step.replace("_", "-")[: _NAME_LENGTH - len(start) - len(suffix) - 1] + "-"
    return start + middle + suffix


def identity_of(resource: Resource, *, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What Describe and Stop need to find it again."""
    name = request[resource.name] if resource.name else answer[resource.arn]
    return {resource.identity: name}
