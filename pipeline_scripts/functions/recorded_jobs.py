"""The jobs that made a version, as SageMaker recorded them, and the requests that would make it once more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipeline_scripts.functions.evidence_objects import Refused

PREPROCESS = "Preprocess"
TRAIN = "Train"

_NOT_REPEATED = {
    "ProcessingJobName",
    "TrainingJobName",
    "ExperimentConfig",  # links the job to the execution, which this run is not part of
    "Tags",
}


@dataclass(frozen=True, kw_only=True)
class RecordedJobs:
    """What the execution ran: the descriptions of both jobs, and the last part of the execution's ARN."""

    preprocess: dict[str, Any]
    train: dict[str, Any]


def recorded_jobs(client: Any, *, pipeline: str, execution_arn: str) -> RecordedJobs:
    """Find both jobs through the steps of the execution; a cached step tells the job of the execution it came from.

    Raises:
        Refused: SageMaker no longer knows the execution, or a step of it names no job.
    """
    if f":pipeline/{pipeline}/" not in execution_arn:
        raise Refused(f"{execution_arn or 'what made it'} is no execution of the pipeline {pipeline}")
    steps = known(_steps, client=client, execution_arn=execution_arn)
    if steps is None:
        raise Refused(f"SageMaker no longer knows {execution_arn}, so it cannot be run again")
    preprocess = client.describe_processing_job(ProcessingJobName=_job(steps, PREPROCESS, "ProcessingJob"))
    if "TuningJob" in steps.get(TRAIN, {}):
        tuning = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=_job(steps, TRAIN, "TuningJob"))
        name = tuning["BestTrainingJob"]["TrainingJobName"]
    else:
        name = _job(steps, TRAIN, "TrainingJob")
    return RecordedJobs(preprocess=preprocess, train=client.describe_training_job(TrainingJobName=name))


def known(ask: Callable[..., dict[str, Any]], **what: Any) -> dict[str, Any] | None:
    """The answer to a question about one thing, or None where there is no such thing.

    SageMaker calls that ResourceNotFound for some kinds of things, and a ValidationException for others.
    """
    try:
        return ask(**what)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException"):
            return None
        raise


def _steps(*, client: Any, execution_arn: str) -> dict[str, Any]:
    pages = client.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=execution_arn)
    return {step["StepName"]: step.get("Metadata", {}) for page in pages for step in page["PipelineExecutionSteps"]}


def _job(steps: Mapping[str, Any], step: str, kind: str) -> str:
    arn = steps.get(step, {}).get(kind, {}).get("Arn")
    if not arn:
        raise Refused(f"the execution's step {step} names no {kind}, so what it ran is not known")
    return str(arn).rsplit("/", 1)[-1]


def repeated(client: Any, operation: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """What a description shares with the request it came from, without the names."""
    members = client.meta.service_model.operation_model(operation).input_shape.members
    return {key: value for key, value in described.items() if key in members and key not in _NOT_REPEATED}


def preprocess_request(client: Any, described: Mapping[str, Any], *, folder: str) -> dict[str, Any]:
    """The same preprocessing, with its outputs in `folder`."""
    request = repeated(client, "CreateProcessingJob", described)
    outputs = [
        {**output, "S3Output": {**output["S3Output"], "S3Uri": f"{folder}/{output['OutputName']}"}}
        for output in described["ProcessingOutputConfig"]["Outputs"]
    ]
    return {**request, "ProcessingOutputConfig": {**described["ProcessingOutputConfig"], "Outputs": outputs}}


def train_request(client: Any, jobs: RecordedJobs, *, preprocessed: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """The same training on what was preprocessed again, with its artefact and checkpoints in `folder`.

    What the recorded training read from the recorded preprocessing, this one reads from its repetition. With the old
    checkpoints it would find itself done.
    """
    request = repeated(client, "CreateTrainingJob", jobs.train)
    moved = dict(zip(_outputs(jobs.preprocess), _outputs(preprocessed), strict=True))
    request["InputDataConfig"] = [_moved(channel, moved) for channel in request["InputDataConfig"]]
    request["OutputDataConfig"] = {**request["OutputDataConfig"], "S3OutputPath": folder}
    if "CheckpointConfig" in request:
        request["CheckpointConfig"] = {**request["CheckpointConfig"], "S3Uri": f"{folder}/checkpoints"}
    return request


def _outputs(described: Mapping[str, Any]) -> list[str]:
    return [output["S3Output"]["S3Uri"] for output in described["ProcessingOutputConfig"]["Outputs"]]


def _moved(channel: dict[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    source = channel["DataSource"]["S3DataSource"]
    uri = moved.get(source["S3Uri"], source["S3Uri"])
    return {**channel, "DataSource": {"S3DataSource": {**source, "S3Uri": uri}}}
