"""What vouches for the versions of one model, wherever they were trained."""

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from baton.lake.version_files import VersionFiles
from baton.permissions import allow


@dataclass(frozen=True, kw_only=True)
class SignedEvidence:
    """One model's artefacts and evidence, and the key that signs them.

    Args:
        model: The model's name, which is its prefix in both zones.
        files: The zones.
        key: The key; who may verify is granted by `grant_verify`.
    """

    model: str
    files: VersionFiles
    key: kms.IKey

    @property
    def environment(self) -> dict[str, str]:
        """What a function that signs or verifies is told."""
        return {
            "MODEL_NAME": self.model,
            "EVIDENCE_BUCKET": self.files.evidence.bucket_name,
            "MODELS_BUCKET": self.files.models.bucket_name,
            "SIGNING_KEY_ARN": self.key.key_arn,
        }

    def grant_verify(self, role: iam.Role) -> None:
        """Let `role` read artefacts and evidence of the model, and verify a signature, here or outside of AWS."""
        self.grant_read(role)
        allow(role, ["kms:GetPublicKey", "kms:Verify"], [self.key.key_arn])

    def grant_read(self, role: iam.Role) -> None:
        """Let `role` read artefacts and evidence of the model."""
        zones = (self.files.models, self.files.evidence)
        allow(
            role,
            ["s3:GetObject"],
            [bucket.arn_for_objects(f"{self.model}/*") for bucket in zones],
            why="Every version lies in a folder of its own under this model's prefix.",
        )
        # Without it S3 answers that access is denied, and not that an object is missing.
        allow(role, ["s3:ListBucket"], [bucket.bucket_arn for bucket in zones])
        allow(role, ["kms:Decrypt"], [self.files.key.key_arn])
