"""Starts the job that puts the current data set into a model's feature group; once for each data set and group."""

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.dataset_pointer import current_dataset

logger = Logger(service="start_features")

DATASET_FOLDER = "/opt/ml/processing/input/dataset"

ATTEMPTS = 20
"""A job's name can be used once, so a job that failed is followed by one with a number. Nobody tries this often."""


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What there is to start: `job` is the CreateProcessingJob request without its name and its data set."""

    model: str
    bucket: str
    group: str
    name_prefix: str
    job: dict[str, Any]


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Start the job for the current data set, or name the one that works or has worked on it."""
    filling = Filling(
        model=os.environ["MODEL_NAME"],
        bucket=os.environ["CURATED_BUCKET"],
        group=os.environ["FEATURE_GROUP"],
        name_prefix=os.environ["JOB_NAME_PREFIX"],
        job=json.loads(os.environ["JOB"]),
    )
    answer = start(filling, s3=boto3.client("s3"), sagemaker=boto3.client("sagemaker"))
    logger.info("features", extra={"model": filling.model, **answer})
    return answer


def start(filling: Filling, *, s3: Any, sagemaker: Any) -> dict[str, str]:
    """Start the job, unless one of this data set and group is under way or has done its work.

    Args:
        filling: What to start.
        s3: Reads the pointer to the current data set.
        sagemaker: Starts jobs, and tells what became of earlier ones.

    Raises:
        DatasetError: There is no data set, or the pointer names none.
        RuntimeError: Every name of this data set's jobs is taken by one that failed.
    """
    dataset = current_dataset(s3, bucket=filling.bucket, model=filling.model, facts=("run_id", "dataset_uri"))
    run, uri = dataset["run_id"], dataset["dataset_uri"]
    base = job_name(filling, run)
    for attempt in range(1, ATTEMPTS + 1):
        name = base if attempt == 1 else f"{base}-{attempt}"
        if _create(sagemaker, _request(filling, name=name, uri=uri)):
            return {"job_name": name, "dataset_run": run}
        status = sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]
        if status in ("InProgress", "Completed"):
            return {"job_name": name, "dataset_run": run}
    raise RuntimeError(
        f"{ATTEMPTS} jobs from {base} have failed to fill {filling.group}; read the logs of the last, mend the cause, "
        "and run the ETL job for a new data set"
    )


def job_name(filling: Filling, run: str) -> str:
    """The name of the first job for a data set; the same run and group always have the same."""
    # 63 characters, of which the prefix takes up to 49 and the number of a later attempt 3.
    return filling.name_prefix + hashlib.sha256(f"{filling.group}:{run}".encode()).hexdigest()[:11]


def _request(filling: Filling, *, name: str, uri: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": DATASET_FOLDER, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {
        **filling.job,
        "ProcessingJobName": name,
        "ProcessingInputs": [*filling.job["ProcessingInputs"], {"InputName": "dataset", "S3Input": source}],
    }


def _create(sagemaker: Any, request: dict[str, Any]) -> bool:
    """Whether the job was started; False where its name is taken."""
    try:
        sagemaker.create_processing_job(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceInUse", "ResourceInUseException"):
            raise
        return False
    return True
