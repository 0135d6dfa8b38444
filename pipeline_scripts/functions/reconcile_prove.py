"""Fifth step: prove by a canary that the approved version answers at the endpoint, and soon enough."""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pipeline_scripts.functions.events import takes
from pipeline_scripts.functions.reconcile_beside import CHALLENGER
from pipeline_scripts.functions.reconcile_explanation import ALWAYS, NEVER, check_explanation, plain_answer
from pipeline_scripts.functions.reconcile_parameters import EXPLAINED, NOTHING, explains
from pipeline_scripts.functions.reconcile_proof import (
    Disproved,
    Unexplained,
    check_answer,
    disproved,
    event_schema,
    proved,
    running_configuration,
    served_package,
)
from pipeline_scripts.functions.reconcile_stack import read_stack

logger = Logger(service="reconcile_prove")

VARIANT = "AllTraffic"
"""The variant of the approved version, as the serving stack names it."""

TIMED = 5
"""How many more canaries are timed. The fastest counts: a version that is too slow is so at its best as well, and a
busy neighbour or a cold start is nobody's fault here; the endpoint's alarm watches the rest."""

EVENT_SCHEMA = event_schema()


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `proved`, with the endpoint config that serves, or whose fault it is that it does not."""
    state = prove(
        event,
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        runtime=boto3.client("sagemaker-runtime"),
        stack_name=os.environ["STACK_NAME"],
        endpoint_name=os.environ["ENDPOINT_NAME"],
        max_latency_ms=int(os.environ["MAX_LATENCY_MS"]),
        clock=time.perf_counter,
    )
    logger.info("proof", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def prove(
    event: dict[str, Any],
    *,
    cloudformation: Any,
    sagemaker: Any,
    runtime: Any,
    stack_name: str,
    endpoint_name: str,
    max_latency_ms: int,
    clock: Callable[[], float],
) -> dict[str, Any]:
    """Check what the endpoint runs, then ask it a question whose answer is known from the evaluation.

    Args:
        event: The workflow's state.
        cloudformation: Reads the serving stack.
        sagemaker: Reads the endpoint.
        runtime: Asks it.
        stack_name: The serving stack.
        endpoint_name: The endpoint.
        max_latency_ms: What is too long for an answer, in milliseconds from here and back.
        clock: Seconds that only go forward.
    """
    stack = read_stack(cloudformation, stack_name)
    try:
        served_package(stack, event["target"])
        running = running_configuration(sagemaker, stack, endpoint_name)
        asked = {} if stack.parameters.get(CHALLENGER, NOTHING) == NOTHING else {"TargetVariant": VARIANT}
        wraps = explains(stack.parameters)
        ask_it = partial(_ask, runtime, endpoint_name, event, asked)
        ask = partial(_ask_plainly, ask_it) if wraps else ask_it
        answer = check_answer(ask(), event["canary"])
        fastest = min(_timed(ask, clock=clock) for _ in range(TIMED))
        if fastest > max_latency_ms:
            raise Disproved(f"the fastest of {TIMED} canaries took {fastest:.0f} ms, the limit is {max_latency_ms} ms")
        if wraps:
            _check_explainer(ask_it, inputs=stack.parameters[EXPLAINED])
    except Disproved as found:
        return disproved(event, found)
    reason = f"the canary answered {answer:.6f} as evaluated, at best within {fastest:.0f} ms"
    return proved(event, config_name=running, stack=stack, reason=reason)


def _timed(ask: Callable[[], bytes], *, clock: Callable[[], float]) -> float:
    begun = clock()
    ask()
    return (clock() - begun) * 1000


def _check_explainer(ask: Callable[..., bytes], *, inputs: str) -> None:
    try:
        wrapped = ask(EnableExplanations=ALWAYS)
    except Disproved as found:  # the same question without an explanation was answered
        raise Unexplained(f"asked for an explanation, {found}") from found
    check_explanation(wrapped, inputs=inputs)


def _ask_plainly(ask: Callable[..., bytes]) -> bytes:
    return plain_answer(ask(EnableExplanations=NEVER))


def _ask(runtime: Any, endpoint_name: str, event: dict[str, Any], asked: Mapping[str, str], **also: str) -> bytes:
    """Ask the endpoint, or where a challenger would answer a part of the requests, one variant of it."""
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint_name,
            ContentType="text/csv",
            Accept="text/csv",
            Body=event["canary"]["request"].encode(),
            InferenceId=f"canary-of-version-{event['target']['version']}",
            **asked,
            **also,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ModelError":
            raise
        raise Disproved(f"the model failed on the canary: {error.response['Error']['Message']}") from error
    content: bytes = answer["Body"].read()
    return content
