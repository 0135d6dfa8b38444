"""Second step: is the version still what was approved? Its artefact, its evidence, and the signature of both."""

from typing import Any

from aws_lambda_powertools import Logger

from pipeline_scripts.functions.events import RUN, TARGET, objects, takes
from pipeline_scripts.functions.evidence_archive import Archive, open_archive
from pipeline_scripts.functions.evidence_bundle import check_bundle, read_signed_bundle
from pipeline_scripts.functions.evidence_objects import Refused

logger = Logger(service="reconcile_verify")


EVENT_SCHEMA = objects({**RUN, "target": TARGET})


@takes(EVENT_SCHEMA)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `verified`, with the canary to prove it by, or `refused`."""
    state = verify(event, archive=open_archive())
    logger.info("verified", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def verify(event: dict[str, Any], *, archive: Archive) -> dict[str, Any]:
    """Check `event["target"]` against the objects it names and against their signature.

    Returns:
        The state with `outcome`, `reason`, and for a verified version its `canary` (request and expected answer).
    """
    try:
        canary = _verified_canary(event["target"], archive)
    except Refused as refusal:
        return {**event, "outcome": "refused", "reason": str(refusal)}
    return {
        **event,
        "canary": canary,
        "outcome": "verified",
        "reason": "the artefact and its signed evidence are what was registered",
    }


def _verified_canary(target: dict[str, str], archive: Archive) -> dict[str, Any]:
    """The registry names one bundle by its hash, the key vouches for it, and it names all else."""
    if approved_by_its_author(author=target["author"], approver=target["approver"]):
        raise Refused(f"its author {target['author']} approved it; another compliance officer must decide")
    registered, version = target["evidence_sha256"], archive.version(target)
    content = read_signed_bundle(version, registered=registered, archive=archive)
    bundle = check_bundle(registered, content, version=version, archive=archive)
    return _canary(bundle.json(archive.evidence, "evaluation/evaluation.json"))


def approved_by_its_author(*, author: str, approver: str) -> bool:
    """Whether one person wrote and approved a version, as far as names tell.

    Args:
        author: The commit's, an e-mail address.
        approver: Who decided, as the registry says it: a Studio profile, or the ARN of a session, which ends in the
            session's name; people's sessions bear their address or the part of it before the @.
    """
    person = approver.rpartition("/")[2].casefold()
    return bool(author) and person in (author.casefold(), author.casefold().partition("@")[0])


def _canary(evaluation: dict[str, Any]) -> dict[str, Any]:
    canary = evaluation.get("canary")
    if not isinstance(canary, dict) or not isinstance(canary.get("request"), str):
        raise Refused("its evaluation holds no canary request to prove it by")
    try:
        return {"request": canary["request"], "expected": float(canary["expected"])}
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("its evaluation holds no expected answer to the canary request") from error
