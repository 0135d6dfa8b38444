"""Fifth step where versions answer in batches, repeated: run a transform job over the canary, and read its answer."""

import hashlib
import os
import time
from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import TEXT, objects, takes
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_proof import (
    Disproved,
    check_answer,
    disproved,
    event_schema,
    proved,
    served_package,
)
from pipeline_scripts.functions.reconcile_stack import ServingStack, read_stack
from pipeline_scripts.functions.s3_place import put, read

logger = Logger(service="reconcile_prove_batch")

PATIENCE_SECONDS = 2_400
"""How long the job may take: SageMaker starts a machine for it."""

AT_WORK = ("InProgress", "Stopping")
CANARY = "canary.csv"

EVENT_SCHEMA = event_schema({"asked": objects({"job": TEXT, "until": {"type": "integer"}})})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `waiting`, then `proved`, with the model that answered, or whose fault it is that it does not."""
    state = prove_in_a_batch(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        s3=boto3.client("s3"),
        stack_name=os.environ["STACK_NAME"],
        transform=_open_transform(),
        now=time.time(),
    )
    logger.info("proof", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


@dataclass(frozen=True, kw_only=True)
class CanaryTransform:
    """Where canaries lie, where their answers come to lie, and what the job between them is made of.

    Args:
        job_prefix: What the names of the jobs begin with.
        requests_uri: Where canaries lie.
        answers_uri: Where answers come to lie.
        instance_type: On what the jobs run.
        data_key: Encrypts the answers.
        volume_key: Encrypts the machine's disk.
    """

    job_prefix: str
    requests_uri: str
    answers_uri: str
    instance_type: str
    data_key: str
    volume_key: str

    def job_name(self, event: dict[str, Any]) -> str:
        """The same for a repeated call of one attempt, which then starts no second job."""
        attempt = f"{event['execution']} {event['generation']} {event['target']['package_arn']}"
        return f"{self.job_prefix}-{hashlib.sha256(attempt.encode()).hexdigest()[:16]}"

    def request(self, job: str, *, model_name: str) -> dict[str, Any]:
        """The arguments of CreateTransformJob."""
        return {
            "TransformJobName": job,
            "ModelName": model_name,
            "TransformInput": {
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{self.requests_uri}/{job}/{CANARY}"}
                },
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": f"{self.answers_uri}/{job}/",
                "Accept": "text/csv",
                "AssembleWith": "Line",
                "KmsKeyId": self.data_key,
            },
            "TransformResources": {
                "InstanceType": self.instance_type,
                "InstanceCount": 1,
                "VolumeKmsKeyId": self.volume_key,
            },
        }


def _open_transform() -> CanaryTransform:
    return CanaryTransform(
        job_prefix=os.environ["CANARY_JOB"],
        requests_uri=os.environ["CANARY_URI"].rstrip("/"),
        answers_uri=os.environ["ANSWER_URI"].rstrip("/"),
        instance_type=os.environ["CANARY_INSTANCE_TYPE"],
        data_key=os.environ["DATA_KEY_ARN"],
        volume_key=os.environ["VOLUME_KEY_ARN"],
    )


def prove_in_a_batch(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    cloudformation: Any,
    sagemaker: Any,
    s3: Any,
    stack_name: str,
    transform: CanaryTransform,
    now: float,
) -> dict[str, Any]:
    """Check what the stack holds and have it answer the canary; when it has been asked, see what it answered.

    Raises:
        LeaseLost: Another run has taken over while this one waited.
    """
    ledger.renew(event["execution"])
    stack = read_stack(cloudformation, stack_name)
    try:
        served_package(stack, event["target"])
        if "asked" not in event:
            job = _start(event, stack, sagemaker=sagemaker, s3=s3, transform=transform)
            asked = {"job": job, "until": int(now) + PATIENCE_SECONDS}
            return {**event, "asked": asked, "outcome": "waiting", "reason": f"{job} runs over the canary"}
        job = event["asked"]["job"]
        if not _ended(sagemaker, event["asked"], now=now):
            return {**event, "outcome": "waiting", "reason": f"{job} runs over the canary"}
        answer = read(s3, f"{transform.answers_uri}/{job}/{CANARY}.out")
        if answer is None:
            raise Disproved(f"{job} completed and left no answer to the canary")
        number = check_answer(answer, event["canary"])
    except Disproved as found:
        return disproved(event, found)
    model_name = stack.outputs["ModelName"]
    reason = f"the canary was answered {number:.6f} as evaluated"
    return proved(event, config_name=model_name, stack=stack, reason=reason, proven_as="model")


def _start(event: dict[str, Any], stack: ServingStack, *, sagemaker: Any, s3: Any, transform: CanaryTransform) -> str:
    job = transform.job_name(event)
    put(s3, f"{transform.requests_uri}/{job}/{CANARY}", event["canary"]["request"].encode())
    try:
        sagemaker.create_transform_job(**transform.request(job, model_name=stack.outputs["ModelName"]))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise
    return job


def _ended(sagemaker: Any, asked: dict[str, Any], *, now: float) -> bool:
    """Whether the job completed; one that takes too long is stopped.

    Raises:
        Disproved: It ended otherwise, or is late.
    """
    job = sagemaker.describe_transform_job(TransformJobName=asked["job"])
    status = job["TransformJobStatus"]
    if status in AT_WORK:
        if now <= asked["until"]:
            return False
        if status == "InProgress":
            sagemaker.stop_transform_job(TransformJobName=asked["job"])
        raise Disproved(f"the canary was not answered within {PATIENCE_SECONDS // 60} minutes")
    if status != "Completed":
        raise Disproved(f"the model failed on the canary: {job.get('FailureReason', status)}")
    return True
