"""Fifth step where versions answer in batches, repeated: have a transform job answer a canary, and read the answer."""

import hashlib
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions import s3_place
from pipeline_scripts.functions.events import TEXT, objects, takes
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_proof import (
    Disproved,
    NotDeployed,
    Unproven,
    check_answer,
    disproved,
    event_schema,
    proved,
    served_package,
)
from pipeline_scripts.functions.reconcile_stack import read_stack

logger = Logger(service="reconcile_prove_batch")

NOBODY_S_FAULT = ("CapacityError", "InternalServerError")
"""How SageMaker begins to say that it was its own: there was no machine, or it failed itself."""

PATIENCE_SECONDS = 2_400
"""How long the job may take: SageMaker starts a machine for it."""

EVENT_SCHEMA = event_schema({"asked": objects({"job": TEXT, "answer": TEXT, "until": {"type": "integer"}})})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `waiting`, then `proved`, with the model that serves, or whose fault it is that it does not."""
    state = prove_in_a_batch(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        s3=boto3.client("s3"),
        stack_name=os.environ["STACK_NAME"],
        job_prefix=os.environ["JOB_PREFIX"],
        canary_uri=os.environ["CANARY_URI"],
        resources={
            "InstanceType": os.environ["CANARY_INSTANCE_TYPE"],
            "InstanceCount": 1,
            "VolumeKmsKeyId": os.environ["VOLUME_KEY_ARN"],
        },
        output={"S3OutputPath": os.environ["ANSWERS_URI"], "KmsKeyId": os.environ["OUTPUT_KEY_ARN"]},
        now=time.time(),
    )
    logger.info("proof", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def prove_in_a_batch(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    cloudformation: Any,
    sagemaker: Any,
    s3: Any,
    stack_name: str,
    job_prefix: str,
    canary_uri: str,
    resources: dict[str, Any],
    output: dict[str, Any],
    now: float,
) -> dict[str, Any]:
    """Check which package the stack's model holds and start a job; when it has been started, see what it answered.

    Args:
        event: The workflow's state.
        ledger: The ledger, whose lock is kept while the job runs.
        cloudformation: Reads the serving stack.
        sagemaker: Reads the model, and runs the job.
        s3: Where canary and answer lie.
        stack_name: The serving stack.
        job_prefix: What the job's name begins with.
        canary_uri: Below which the canary is left.
        resources: The job's machine, as SageMaker takes it.
        output: Where the answer comes to lie, and under which key.
        now: Seconds since the epoch.

    Raises:
        LeaseLost: Another run has taken over while this one waited.
    """
    ledger.renew(event["execution"])
    stack = read_stack(cloudformation, stack_name)
    model_name = stack.outputs.get("ModelName", "")
    waiting = {**event, "outcome": "waiting", "reason": "a transform job answers the canary"}
    try:
        served_package(stack, event["target"])
        _holds(sagemaker, model_name, event["target"]["package_arn"])
        if "asked" not in event:
            name = _job_name(job_prefix, event)
            uri = f"{canary_uri.rstrip('/')}/{name}.csv"
            s3_place.leave(s3, uri, event["canary"]["request"])
            _start(sagemaker, name, model_name=model_name, uri=uri, resources=resources, output=output)
            answer = f"{output['S3OutputPath'].rstrip('/')}/{name}.csv.out"
            return {**waiting, "asked": {"job": name, "answer": answer, "until": int(now) + PATIENCE_SECONDS}}
        if not _has_ended(sagemaker, event["asked"], now=now):
            return waiting
        number = check_answer(s3_place.read(s3, event["asked"]["answer"]) or b"", event["canary"])
    except Disproved as found:
        return disproved(event, found)
    return proved(
        event, config_name=model_name, stack=stack, reason=f"the canary was answered {number:.6f} as evaluated"
    )


def _holds(sagemaker: Any, model_name: str, package_arn: str) -> None:
    model = sagemaker.describe_model(ModelName=model_name)
    container = model.get("PrimaryContainer") or model["Containers"][0]
    if container.get("ModelPackageName") != package_arn:
        raise NotDeployed(f"the model {model_name} holds {container.get('ModelPackageName', 'no package')}")


def _start(
    sagemaker: Any, name: str, *, model_name: str, uri: str, resources: dict[str, Any], output: dict[str, Any]
) -> None:
    """Start the job, unless a call whose answer was lost has."""
    try:
        sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=model_name,
            TransformInput={
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            TransformOutput={**output, "Accept": "text/csv", "AssembleWith": "Line"},
            TransformResources=resources,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise


def _has_ended(sagemaker: Any, asked: dict[str, Any], *, now: float) -> bool:
    """Whether the job completed; one that takes too long is stopped.

    Raises:
        Disproved: It ended otherwise, or is late.
        Unproven: Somebody stopped it, or SageMaker could not run it.
    """
    name = asked["job"]
    job = sagemaker.describe_transform_job(TransformJobName=name)
    if job["TransformJobStatus"] == "Failed":
        reason = job.get("FailureReason", "SageMaker says no reason")
        fault = Unproven if reason.startswith(NOBODY_S_FAULT) else Disproved
        raise fault(f"the job {name} failed: {reason}")
    if job["TransformJobStatus"] == "Stopped":
        raise Unproven(f"the job {name} was stopped by somebody")
    completed = bool(job["TransformJobStatus"] == "Completed")
    if not completed and now > asked["until"]:
        sagemaker.stop_transform_job(TransformJobName=name)
        raise Disproved(f"the job {name} did not end within {PATIENCE_SECONDS // 60} minutes")
    return completed


def _job_name(prefix: str, event: dict[str, Any]) -> str:
    """The same for a repeated call of one attempt; at most 63 characters."""
    attempt = f"{event['execution']} {event['generation']}"
    return f"{prefix}-{hashlib.sha256(attempt.encode()).hexdigest()[:12]}"
