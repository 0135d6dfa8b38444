"""Where the versions of one model and their evidence lie, and the key that vouches for them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import boto3

from pipeline_scripts.functions.evidence_objects import Objects


@dataclass(frozen=True, kw_only=True)
class Version:
    """What somebody other than the bundle says of a version: the pipeline that made it, or the registry."""

    model: str
    execution: str
    commit: str
    dataset_hash: str
    evidence_uri: str
    artifact_uri: str
    artifact_sha256: str
    image: str
    container_environment: str


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The two buckets, and the KMS client with the ARN of the key."""

    model: str
    evidence: Objects
    models: Objects
    kms: Any
    key_arn: str

    def version(self, told: Mapping[str, Any]) -> Version:
        """The version that an event or a registry entry tells of.

        Raises:
            KeyError: It lacks something.
        """
        names = [field.name for field in fields(Version) if field.name != "model"]
        return Version(model=self.model, **{name: str(told[name]) for name in names})


def open_archive() -> Archive:
    """The archive that the function's environment names."""
    s3 = boto3.client("s3")
    return Archive(
        model=os.environ["MODEL_NAME"],
        evidence=Objects(s3, bucket=os.environ["EVIDENCE_BUCKET"]),
        models=Objects(s3, bucket=os.environ["MODELS_BUCKET"]),
        kms=boto3.client("kms"),
        key_arn=os.environ["SIGNING_KEY_ARN"],
    )
