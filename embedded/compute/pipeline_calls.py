"""How each step type that makes something in SageMaker is called, watched and stopped through the API."""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_ALPHABET = string.ascii_letters + string.digits


def _best_first(api: Any, description: Mapping[str, Any]) -> dict[str, Any]:
    """The training jobs of a tuning, of which later steps take the first."""
    objective = description["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    answer: dict[str, Any] = api.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=description["HyperParameterTuningJobName"],
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending" if objective["Type"] == "Maximize" else "Ascending",
        MaxResults=50,  # so many Pipelines keeps
    )
    return {"TrainingJobSummaries": answer["TrainingJobSummaries"]}


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
        start: What its name begins with unless its arguments say so; `name_length` is the most it may have.
        takes_role: Whether the request has a `RoleArn` of its own.
        more: Gives the properties of a step that Describe does not tell.
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
    start: str = "pipelines-"
    name_length: int = 63
    takes_role: bool = False
    more: Callable[[Any, Mapping[str, Any]], dict[str, Any]] | None = None


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
        takes_role=True,
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
        takes_role=True,
    ),
    "Tuning": Resource(
        metadata="TuningJob",
        create="create_hyper_parameter_tuning_job",
        describe="describe_hyper_parameter_tuning_job",
        stop="stop_hyper_parameter_tuning_job",
        arn="HyperParameterTuningJobArn",
        name="HyperParameterTuningJobName",
        identity="HyperParameterTuningJobName",
        status="HyperParameterTuningJobStatus",
        start="",
        name_length=32,
        more=_best_first,
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


def resource_name(resource: Resource, *, prefix: str | None, execution_id: str, step: str) -> str:
    """The name SageMaker Pipelines gives to what a step makes: `pipelines-<execution>-<step>-<random>`.

    A tuning job's is too short for the first word.
    """
    suffix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    start = f"{prefix}-{execution_id}-" if prefix else f"{resource.start}{execution_id}-"
    room = resource.name_length - len(start) - len(suffix) - 1
    middle = "" if prefix else step.replace("_", "-")[:room] + "-"
    return start + middle + suffix


def identity_of(resource: Resource, *, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What Describe and Stop need to find it again."""
    name = request[resource.name] if resource.name else answer[resource.arn]
    return {resource.identity: name}
