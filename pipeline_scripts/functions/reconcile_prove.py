"""Fifth step: prove that the approved version serves. `InService` proves nothing: SageMaker may have rolled back."""

import math
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import RUN, TARGET, TEXT, objects, takes
from pipeline_scripts.functions.reconcile_stack import read_stack

logger = Logger(service="reconcile_prove")

TOLERANCE = 1e-4
"""An answer is the model's up to the digits that a text response keeps; another model is further away than that."""


CANARY = objects({"request": TEXT, "expected": {"type": "number"}})
EVENT_SCHEMA = objects({**RUN, "target": TARGET, "canary": CANARY})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `proved`, with the endpoint config that serves, or `failed`."""
    state = prove(
        event,
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        runtime=boto3.client("sagemaker-runtime"),
        stack_name=os.environ["STACK_NAME"],
        endpoint_name=os.environ["ENDPOINT_NAME"],
    )
    logger.info("proof", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def prove(
    event: dict[str, Any], *, cloudformation: Any, sagemaker: Any, runtime: Any, stack_name: str, endpoint_name: str
) -> dict[str, Any]:
    """Check what the endpoint runs, then ask it a question whose answer is known from the evaluation."""
    outputs = read_stack(cloudformation, stack_name).outputs
    target = event["target"]
    if outputs.get("ServedModelPackageArn") != target["package_arn"]:
        return _failed(
            event, f"the stack holds {outputs.get('ServedModelPackageArn', 'no version')}, not the approved one"
        )
    running = sagemaker.describe_endpoint(EndpointName=endpoint_name)["EndpointConfigName"]
    if running != outputs["EndpointConfigName"]:
        return _failed(event, f"the endpoint went back to {running}: SageMaker rolled the deployment back")
    try:
        answer = _ask(runtime, endpoint_name, target["version"], event["canary"]["request"])
    except ValueError:
        return _failed(event, "the endpoint's answer to the canary is not a number")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ModelError":
            raise
        return _failed(event, f"the model failed on the canary: {error.response['Error']['Message']}")
    expected = event["canary"]["expected"]
    if not math.isclose(answer, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
        return _failed(event, f"the endpoint answered {answer:.6f} to the canary, evaluation says {expected:.6f}")
    return {
        **event,
        "config_name": running,
        "outcome": "proved",
        "reason": f"the canary answered {answer:.6f} as evaluated",
    }


def _ask(runtime: Any, endpoint_name: str, version: str, request: str) -> float:
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint_name,
        ContentType="text/csv",
        Accept="text/csv",
        Body=request.encode(),
        InferenceId=f"canary-of-version-{version}",
    )
    return float(answer["Body"].read().decode().strip())


def _failed(event: dict[str, Any], reason: str) -> dict[str, Any]:
    return {**event, "outcome": "failed", "reason": reason}
