"""What every proof shares, whichever way a version is asked: what must run, what it must answer, how it is told."""

import math
from collections.abc import Mapping
from typing import Any

from pipeline_scripts.functions.events import MOVE, RUN, TARGET, TEXT, Schema, objects
from pipeline_scripts.functions.reconcile_blame import blame_for_answer, blame_for_update
from pipeline_scripts.functions.reconcile_stack import ServingStack, read_endpoint

TOLERANCE = 1e-4
"""An answer is the model's up to the digits that a text response keeps; another model is further away than that."""

CANARY = objects({"request": TEXT, "expected": {"type": "number"}})


def event_schema(optional: Mapping[str, Schema] | None = None) -> Schema:
    """What a proof takes: the run, the version and how it was moved, and the canary."""
    return objects({**RUN, **MOVE, "target": TARGET, "canary": CANARY}, optional)


class Disproved(Exception):
    """What serves does not answer as the approved version does; the message says how."""


class NotDeployed(Disproved):
    """What was asked of CloudFormation is not what runs."""


class Unexplained(Disproved):
    """It answers, but its explainer does not explain."""


class Unproven(Disproved):
    """Something came between, which says nothing about the version."""


class MovedAway(Unproven):
    """Somebody else has moved the stack or what it holds."""


def served_package(stack: ServingStack, target: Mapping[str, str]) -> None:
    """Check that the stack is at rest and holds the version.

    Raises:
        MovedAway: It holds another, or none, or somebody else is changing it.
    """
    if stack.moving:
        raise MovedAway(f"{stack.name} is {stack.status}: somebody else is changing it")
    held = stack.outputs.get("ServedModelPackageArn", "no version")
    if held != target["package_arn"]:
        raise MovedAway(f"the stack holds {held}, not the approved one: somebody else has changed it")


def running_configuration(sagemaker: Any, stack: ServingStack, endpoint_name: str) -> str:
    """The endpoint's configuration, which must be the stack's: SageMaker may have gone back and be `InService`.

    Raises:
        NotDeployed: The endpoint runs another.
    """
    running = read_endpoint(sagemaker, endpoint_name).config_name
    if running != stack.outputs["EndpointConfigName"]:
        raise NotDeployed(f"the endpoint went back to {running}: SageMaker rolled the deployment back")
    return running


def check_answer(answer: bytes, canary: Mapping[str, Any]) -> float:
    """The number in an answer to the canary, which evaluation knows.

    Raises:
        Disproved: It is none, or another.
    """
    try:
        number = float(answer.decode().strip())
    except ValueError as error:
        raise Disproved("the answer to the canary is not a number") from error
    expected = canary["expected"]
    if not math.isclose(number, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
        raise Disproved(f"the canary was answered {number:.6f}, evaluation says {expected:.6f}")
    return number


def proved(
    event: dict[str, Any],
    *,
    config_name: str,
    stack: ServingStack,
    reason: str,
) -> dict[str, Any]:
    """The state after a proof, with what was proven: the configuration or model, and the machines."""
    facts = {"config_name": config_name, "instance_type": stack.instance_type}
    return {**event, **facts, "outcome": "proved", "reason": reason}


def disproved(event: dict[str, Any], found: Disproved) -> dict[str, Any]:
    """The state after a proof that failed: whose fault it is, and what was found."""
    if isinstance(found, Unproven) or (isinstance(found, Unexplained) and event["proven_before"]):
        outcome = "stuck"  # an explainer that came later says nothing about a version that was proven without it
    elif isinstance(found, NotDeployed):
        outcome = blame_for_update(event)
    else:
        outcome = blame_for_answer(event)
    return {**event, "outcome": outcome, "reason": str(found)}
