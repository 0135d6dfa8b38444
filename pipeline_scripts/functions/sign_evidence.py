"""The last step before a version is registered: vouches for its bundle, after comparing all of it with the objects.

It takes the pipeline's word, not the bundle's, for which version this is: a job's script writes the bundle.
"""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from pipeline_scripts.functions.evidence_bundle import SIGNATURE, Version, check_bundle, read_bundle
from pipeline_scripts.functions.evidence_objects import Objects
from pipeline_scripts.functions.evidence_signature import sign

logger = Logger(service="sign_evidence")


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Sign the bundle of the version that `event` tells of; the step's output is the bundle's hash."""
    s3 = boto3.client("s3")
    answer = sign_evidence(
        event,
        model=os.environ["MODEL_NAME"],
        evidence=Objects(s3, bucket=os.environ["EVIDENCE_BUCKET"]),
        models=Objects(s3, bucket=os.environ["MODELS_BUCKET"]),
        kms=boto3.client("kms"),
        key_arn=os.environ["SIGNING_KEY_ARN"],
    )
    logger.info("signed", extra=answer)
    return answer


def sign_evidence(
    event: dict[str, Any], *, model: str, evidence: Objects, models: Objects, kms: Any, key_arn: str
) -> dict[str, str]:
    """Check the bundle, sign its hash, and leave the signature beside it.

    Raises:
        Refused: The bundle is another version's, or an object is not what it lists.
        KeyError: The event lacks something; the pipeline's definition gives it.
    """
    names = ("execution", "commit", "dataset_hash", "evidence_uri", "artifact_uri", "artifact_sha256")
    version = Version(model=model, **{name: str(event[name]) for name in names})
    sha256, content = read_bundle(version, evidence=evidence)
    bundle = check_bundle(sha256, content, version=version, evidence=evidence, models=models)
    evidence.write(f"{version.evidence_uri}/{SIGNATURE}", sign(kms, key_arn=key_arn, digest=bundle.sha256))
    return {"bundle_sha256": bundle.sha256}
