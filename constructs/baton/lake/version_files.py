"""Where the artefacts of versions and their evidence lie."""

from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class VersionFiles:
    """The two zones and the key of what is served: an environment's own, or those of the one it takes versions from."""

    models: s3.IBucket
    evidence: s3.IBucket
    key: kms.IKey


def named_files(scope: Construct, *, models_bucket: str, evidence_bucket: str, key_arn: str) -> VersionFiles:
    """The zones of another environment, known by their names."""
    return VersionFiles(
        models=s3.Bucket.from_bucket_name(scope, "TakenModels", models_bucket),
        evidence=s3.Bucket.from_bucket_name(scope, "TakenEvidence", evidence_bucket),
        key=kms.Key.from_key_arn(scope, "TakenModelsKey", key_arn),
    )
