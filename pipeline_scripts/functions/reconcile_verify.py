"""Second step: is the version still what was approved? Its artefact's hash, and the evidence that watching it needs."""

import hashlib
import json
import os
from typing import Any
from urllib.parse import urlparse

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

logger = Logger(service="reconcile_verify")

CHUNK = 1024 * 1024

BASELINES = (
    "data_quality/statistics.json",
    "data_quality/constraints.json",
    "model_quality/constraints.json",
    "bias/analysis.json",
    "explainability/analysis.json",
)
"""What the monitors compare with: a version without them could serve but not be watched."""


class Refused(Exception):
    """The version must not serve; the message is the reason."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer `verified`, with the canary to prove it by, or `refused`."""
    state = verify(
        event,
        s3=boto3.client("s3"),
        models_bucket=os.environ["MODELS_BUCKET"],
        evidence_bucket=os.environ["EVIDENCE_BUCKET"],
    )
    logger.info("verified", extra={"outcome": state["outcome"], "reason": state["reason"]})
    return state


def verify(event: dict[str, Any], *, s3: Any, models_bucket: str, evidence_bucket: str) -> dict[str, Any]:
    """Check `event["target"]` against the objects it names.

    Returns:
        The state with `outcome`, `reason`, and for a verified version its `canary` (request and expected answer).
    """
    target = event["target"]
    try:
        found = _sha256(s3, target["artifact_uri"], bucket=models_bucket)
        if found != target["artifact_sha256"]:
            registered = target["artifact_sha256"][:12] or "none"
            raise Refused(f"the model artefact has the hash {found[:12]}, but {registered} was registered")
        for name in BASELINES:
            _read(s3, f"{target['evidence_uri']}/{name}", bucket=evidence_bucket, size=1)
        _check_gate(_json(s3, f"{target['evidence_uri']}/gate/gate.json", bucket=evidence_bucket), expected_hash=found)
        canary = _canary(_json(s3, f"{target['evidence_uri']}/evaluation/evaluation.json", bucket=evidence_bucket))
    except Refused as refusal:
        return {**event, "outcome": "refused", "reason": str(refusal)}
    return {
        **event,
        "canary": canary,
        "outcome": "verified",
        "reason": "the artefact and its evidence are what was registered",
    }


def _check_gate(gate: Any, *, expected_hash: str) -> None:
    if not isinstance(gate, dict) or gate.get("passed") != 1:
        raise Refused("its gate did not pass")
    if gate.get("artifact_sha256") != expected_hash:
        raise Refused("its gate judged another artefact")


def _canary(evaluation: Any) -> dict[str, Any]:
    canary = evaluation.get("canary") if isinstance(evaluation, dict) else None
    if not isinstance(canary, dict) or not isinstance(canary.get("request"), str):
        raise Refused("its evaluation holds no canary request to prove it by")
    try:
        return {"request": canary["request"], "expected": float(canary["expected"])}
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("its evaluation holds no expected answer to the canary request") from error


def _json(s3: Any, uri: str, *, bucket: str) -> Any:
    try:
        return json.loads(_read(s3, uri, bucket=bucket))
    except ValueError as error:
        raise Refused(f"{uri} is not JSON") from error


def _read(s3: Any, uri: str, *, bucket: str, size: int | None = None) -> bytes:
    content: bytes = _open(s3, uri, bucket=bucket).read(size)
    if not content:
        raise Refused(f"{uri} is empty")
    return content


def _sha256(s3: Any, uri: str, *, bucket: str) -> str:
    digest = hashlib.sha256()
    for chunk in _open(s3, uri, bucket=bucket).iter_chunks(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _open(s3: Any, uri: str, *, bucket: str) -> Any:
    parts = urlparse(uri)
    if parts.scheme != "s3" or parts.netloc != bucket:
        raise Refused(f"{uri or 'an unnamed object'} does not lie in {bucket}, where Baton keeps it")
    try:
        return s3.get_object(Bucket=bucket, Key=parts.path.lstrip("/"))["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise Refused(f"{uri} does not exist") from error
        raise
