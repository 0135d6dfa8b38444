"""Fifth step where answers come later, repeated: leave a canary in S3, and look for its answer there."""

import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions import s3_place
from pipeline_scripts.functions.events import S3_URI, objects, takes
from pipeline_scripts.functions.reconcile_ledger import Ledger, open_ledger
from pipeline_scripts.functions.reconcile_proof import (
    Disproved,
    Unproven,
    check_answer,
    disproved,
    event_schema,
    proved,
    running_configuration,
    served_package,
)
from pipeline_scripts.functions.reconcile_stack import Endpoint, read_endpoint, read_stack

logger = Logger(service="reconcile_prove_asynchronous")

PATIENCE_SECONDS = 1_800
"""How long a canary may go unanswered: the endpoint may have to start its first instance for it."""

ASKED = objects({"answer": S3_URI, "failure": S3_URI, "until": {"type": "integer"}})
EVENT_SCHEMA = event_schema({"asked": ASKED})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `waiting`, then `proved`, with the endpoint config that serves, or whose fault it is that it does not."""
    state = prove_asynchronously(
        event,
        ledger=open_ledger(),
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        runtime=boto3.client("sagemaker-runtime"),
        s3=boto3.client("s3"),
        stack_name=os.environ["STACK_NAME"],
        endpoint_name=os.environ["ENDPOINT_NAME"],
        canary_uri=os.environ["CANARY_URI"],
        now=time.time(),
    )
    logger.info("proof", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def prove_asynchronously(
    event: dict[str, Any],
    *,
    ledger: Ledger,
    cloudformation: Any,
    sagemaker: Any,
    runtime: Any,
    s3: Any,
    stack_name: str,
    endpoint_name: str,
    canary_uri: str,
    now: float,
) -> dict[str, Any]:
    """Check what the endpoint runs and ask it; when it has been asked, see what it answered.

    Raises:
        LeaseLost: Another run has taken over while this one waited.
    """
    ledger.renew(event["execution"])
    stack = read_stack(cloudformation, stack_name)
    try:
        served_package(stack, event["target"])
        running = running_configuration(sagemaker, stack, endpoint_name)
        if "asked" not in event:
            asked = _ask(event, runtime=runtime, s3=s3, endpoint_name=endpoint_name, canary_uri=canary_uri)
            asked["until"] = int(now) + PATIENCE_SECONDS
            return {**event, "asked": asked, "outcome": "waiting", "reason": "the canary waits for its answer"}
        answer = s3_place.read(s3, event["asked"]["answer"])
        if answer is None:
            _may_still_come(event["asked"], s3=s3, endpoint=read_endpoint(sagemaker, endpoint_name), now=now)
            return {**event, "outcome": "waiting", "reason": "the canary waits for its answer"}
        number = check_answer(answer, event["canary"])
    except Disproved as found:
        return disproved(event, found)
    return proved(event, config_name=running, stack=stack, reason=f"the canary was answered {number:.6f} as evaluated")


def _ask(event: dict[str, Any], *, runtime: Any, s3: Any, endpoint_name: str, canary_uri: str) -> dict[str, Any]:
    version = event["target"]["version"]
    uri = f"{canary_uri.rstrip('/')}/canary-of-version-{version}-{event['generation']}.csv"
    s3_place.leave(s3, uri, event["canary"]["request"])
    taken = runtime.invoke_endpoint_async(
        EndpointName=endpoint_name,
        InputLocation=uri,
        ContentType="text/csv",
        Accept="text/csv",
        InferenceId=f"canary-of-version-{version}",
    )
    return {"answer": taken["OutputLocation"], "failure": taken["FailureLocation"]}


def _may_still_come(asked: dict[str, Any], *, s3: Any, endpoint: Endpoint, now: float) -> None:
    """Check that there is an answer to wait for.

    Raises:
        Unproven: SageMaker has given the endpoint up since it arrived.
        Disproved: The model failed, or takes too long.
    """
    failure = s3_place.read(s3, asked["failure"])
    if failure is not None:
        raise Disproved(f"the model failed on the canary: {failure.decode(errors='replace')[:300]}")
    if endpoint.lost:
        raise Unproven(f"{endpoint.said}, and leaves the canary unanswered")
    if now > asked["until"]:
        raise Disproved(f"the canary was not answered within {PATIENCE_SECONDS // 60} minutes")
