"""Second step: is the version still what was approved, and are those that stand beside it?"""

from typing import Any

from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import LEAVING, RUN, STANDING, TARGET, objects, takes
from pipeline_scripts.functions.evidence_archive import Archive, open_archive
from pipeline_scripts.functions.evidence_objects import Refused
from pipeline_scripts.functions.reconcile_beside import Beside
from pipeline_scripts.functions.reconcile_evidence import verified_bundle
from pipeline_scripts.functions.reconcile_parameters import UNKNOWN

logger = Logger(service="reconcile_verify")


EVENT_SCHEMA = objects({**RUN, "target": TARGET}, {"standing": STANDING, "beside": LEAVING})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `verified`, with the canary to prove it by, or `refused`."""
    state = verify(event, archive=open_archive())
    logger.info("verified", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def verify(event: dict[str, Any], *, archive: Archive) -> dict[str, Any]:
    """Check `event["target"]` against the objects it names and against their signature, then who stands beside it.

    Returns:
        The state with `outcome`, `reason`, and for a verified version its `canary` (request and expected answer), as
        `explained` the names and types of its inputs for an online explainer, who is left `standing` beside it with
        the hash of that, and why others have to go in `beside`.
    """
    try:
        evaluation = _verified_evaluation(event["target"], archive)
        canary = _canary(evaluation)
    except Refused as refusal:
        return {**event, "outcome": "refused", "reason": str(refusal)}
    beside = Beside.of(event).verified(archive)
    return {
        **event,
        **beside.state,
        "canary": canary,
        "explained": _explained(evaluation),
        "outcome": "verified",
        "reason": "the artefact and its signed evidence are what was registered",
    }


def _verified_evaluation(target: dict[str, str], archive: Archive) -> dict[str, Any]:
    return verified_bundle(target, archive=archive).json(archive.evidence, "evaluation/evaluation.json")


def _canary(evaluation: dict[str, Any]) -> dict[str, Any]:
    canary = evaluation.get("canary")
    if not isinstance(canary, dict) or not isinstance(canary.get("request"), str):
        raise Refused("its evaluation holds no canary request to prove it by")
    try:
        return {"request": canary["request"], "expected": float(canary["expected"])}
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("its evaluation holds no expected answer to the canary request") from error


def _explained(evaluation: dict[str, Any]) -> str:
    """As one parameter of the stack holds it; a version of before explainers were thought of is served without one."""
    match evaluation.get("explained_inputs"):
        case {"names": [*names], "types": [*types]} if names and len(names) == len(types):
            return f"{','.join(map(str, names))};{','.join(map(str, types))}"
    return UNKNOWN
