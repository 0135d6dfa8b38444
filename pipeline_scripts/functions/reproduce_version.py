"""Makes a registered version once more, from the recorded data set with the recorded code, beside the first.

Each call looks at how far a run has come and starts what comes next, so that calling again does no harm and a call that
failed is made good by the next one. Nobody but this function chooses what runs: the jobs are the recorded ones.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.artifact_files import file_sha256s
from pipeline_scripts.functions.evidence_archive import Archive, open_archive
from pipeline_scripts.functions.evidence_bundle import read_signed_bundle
from pipeline_scripts.functions.evidence_objects import Refused
from pipeline_scripts.functions.reconcile_target import target_of
from pipeline_scripts.functions.recorded_jobs import (
    RecordedJobs,
    known,
    preprocess_request,
    recorded_jobs,
    train_request,
)

logger = Logger(service="reproduce_version")

FOLDER = "reproductions"
"""Below the model's prefix in a zone: what was made again, a folder for each run."""

RUN = re.compile(r"[a-z0-9]{1,10}")


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Which model's versions are made again, and where."""

    client: Any
    archive: Archive
    group: str
    pipeline: str
    job_prefix: str
    features_uri: str
    models_uri: str


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What is known of a version: the jobs that made it, and by its signed evidence the hash of every file of it."""

    jobs: RecordedJobs
    members: dict[str, str]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `version` and `run` from the event; answer how far the run is and what it made."""
    reproduction = Reproduction(
        client=boto3.client("sagemaker"),
        archive=open_archive(),
        group=os.environ["MODEL_PACKAGE_GROUP"],
        pipeline=os.environ["PIPELINE_NAME"],
        job_prefix=os.environ["JOB_PREFIX"],
        features_uri=os.environ["FEATURES_URI"],
        models_uri=os.environ["MODELS_URI"],
    )
    answer = advance(event, reproduction)
    logger.info("advanced", extra={"answer": answer})
    return answer


def advance(event: Mapping[str, Any], reproduction: Reproduction) -> dict[str, Any]:
    """Start what comes next of a run, and say how far it is.

    Returns:
        `stage` is preprocessing, training, made, failed or refused; `why` explains the last two. What is made is
        compared: `equal`, and in `files` the hash of each file of the artefact as it was recorded and as it came out.
    """
    version, run = event.get("version"), event.get("run")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        return _refused(f"version must be the number of a version, got {version!r}")
    if not isinstance(run, str) or not RUN.fullmatch(run):
        return _refused(f"run must be 1 to 10 lower-case letters and digits, got {run!r}")
    try:
        recorded = _recorded(reproduction, version)
    except Refused as refusal:
        return _refused(f"version {version} cannot be made again: {refusal}")
    return _advance(reproduction, recorded, run=f"v{version}-{run}")


def _recorded(reproduction: Reproduction, number: int) -> Recorded:
    client = reproduction.client
    pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=reproduction.group)
    listed = {item["ModelPackageVersion"]: item for page in pages for item in page["ModelPackageSummaryList"]}
    if number not in listed:
        raise Refused(f"{reproduction.group} has no such version")
    told = target_of(client.describe_model_package(ModelPackageName=listed[number]["ModelPackageArn"]))
    version = reproduction.archive.version(told)
    bundle = read_signed_bundle(version, registered=told["evidence_sha256"], archive=reproduction.archive)
    jobs = recorded_jobs(client, pipeline=reproduction.pipeline, execution_arn=version.execution)
    return Recorded(jobs=jobs, members=bundle["artifact"]["members"])


def _advance(reproduction: Reproduction, recorded: Recorded, *, run: str) -> dict[str, Any]:
    client, jobs, name = reproduction.client, recorded.jobs, f"{reproduction.job_prefix}-{run}"
    features, models = (f"{uri}/{FOLDER}/{run}" for uri in (reproduction.features_uri, reproduction.models_uri))
    preprocessed = known(client.describe_processing_job, ProcessingJobName=name)
    if preprocessed is None:
        request = preprocess_request(client, jobs.preprocess, folder=features)
        _start(client.create_processing_job, ProcessingJobName=name, **request)
        return {"stage": "preprocessing", "job": name}
    if preprocessed["ProcessingJobStatus"] != "Completed":
        return _unfinished("preprocessing", preprocessed, preprocessed["ProcessingJobStatus"], job=name)
    trained = known(client.describe_training_job, TrainingJobName=name)
    if trained is None:
        request = train_request(client, jobs, preprocessed=preprocessed, folder=models)
        _start(client.create_training_job, TrainingJobName=name, **request)
        return {"stage": "training", "job": name}
    if trained["TrainingJobStatus"] != "Completed":
        return _unfinished("training", trained, trained["TrainingJobStatus"], job=name)
    artifact = trained["ModelArtifacts"]["S3ModelArtifacts"]
    made = file_sha256s(reproduction.archive.models.read(artifact))
    return {"stage": "made", "job": name, "artifact_uri": artifact, **compared(recorded.members, made)}


def compared(recorded: Mapping[str, str], made: Mapping[str, str]) -> dict[str, Any]:
    """File by file, the hash that was recorded and the one that came out; None where there is no such file."""
    files = [
        {"name": name, "recorded": recorded.get(name), "made": made.get(name)} for name in sorted({*recorded, *made})
    ]
    return {"equal": dict(recorded) == dict(made), "files": files}


def _unfinished(stage: str, described: Mapping[str, Any], status: str, *, job: str) -> dict[str, Any]:
    if status in ("InProgress", "Stopping"):
        return {"stage": stage, "job": job}
    why = described.get("FailureReason") or described.get("ExitMessage") or f"the job was {status.lower()}"
    return {"stage": "failed", "job": job, "why": f"{stage}: {why}"}


def _refused(why: str) -> dict[str, Any]:
    return {"stage": "refused", "why": why}


def _start(create: Any, **request: Any) -> None:
    """Start a job; who was overtaken by another call finds it started."""
    try:
        create(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise
