"""The zones of the data lake."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from baton.foundation.encryption import PlatformKeys
from baton.foundation.taker import Taker, in_other_accounts

QUERY_RESULTS = "athena-results/"
# Overwritten objects stay long enough to notice a mistake and to undo it.
UNDO = cdk.Duration.days(90)
# S3 bills the infrequent-access class for at least 30 days an object.
COOL = s3.Transition(storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=cdk.Duration.days(30))
FORGET_BROKEN_UPLOADS = s3.LifecycleRule(
    id="BrokenUploads", abort_incomplete_multipart_upload_after=cdk.Duration.days(1)
)


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One row of the table of zones."""

    construct_id: str
    key: kms.IKey
    lifecycle: Sequence[s3.LifecycleRule]
    locked_for: cdk.Duration | None = None


class LakeZones(Construct):
    """A bucket for each zone, so that each has its own key, lifecycle and readers.

    raw holds what a job drops on its way and forgets it; curated, features and monitoring hold data without personal
    values; models and evidence what was made of it; vault the surrogates, which only the ETL job reads; logs who read
    what. All are private, versioned, reached by TLS alone, and take no object under another key than their own.

    Args:
        keys: The platform's keys.
        raw_retention_days: How long raw data lives.
        removal_policy: What becomes of the buckets when they leave the template.
        evidence_locked_for: How long nobody may overwrite or delete evidence; not locked unless told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        keys: PlatformKeys,
        raw_retention_days: int,
        removal_policy: cdk.RemovalPolicy,
        evidence_locked_for: cdk.Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        # Access logs arrive by bucket policy; the older way, an ACL, is what an enforced owner rules out.
        self.node.set_context("@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy", True)
        self.logs = self._log_bucket(removal_policy)
        keep = s3.LifecycleRule(id="Undo", noncurrent_version_expiration=UNDO)
        cool = s3.LifecycleRule(id="Cool", transitions=[COOL], noncurrent_version_expiration=UNDO)
        raw = s3.LifecycleRule(
            id="Forget",
            expiration=cdk.Duration.days(raw_retention_days),
            noncurrent_version_expiration=cdk.Duration.days(1),
        )
        results = s3.LifecycleRule(
            id="QueryResults",
            prefix=QUERY_RESULTS,
            expiration=cdk.Duration.days(7),
            noncurrent_version_expiration=cdk.Duration.days(1),
        )
        zones = [
            Zone(construct_id="Raw", key=keys.vault, lifecycle=[raw]),
            Zone(construct_id="Curated", key=keys.data, lifecycle=[cool, results]),
            Zone(construct_id="Features", key=keys.data, lifecycle=[cool]),
            Zone(construct_id="Models", key=keys.models, lifecycle=[keep]),
            Zone(construct_id="Monitoring", key=keys.data, lifecycle=[cool]),
            Zone(construct_id="Evidence", key=keys.models, lifecycle=[], locked_for=evidence_locked_for),
            Zone(construct_id="Vault", key=keys.vault, lifecycle=[keep]),
        ]
        buckets = {zone.construct_id: self._bucket(zone, removal_policy) for zone in zones}
        self.raw = buckets["Raw"]
        self.curated = buckets["Curated"]
        self.features = buckets["Features"]
        self.models = buckets["Models"]
        self.monitoring = buckets["Monitoring"]
        self.evidence = buckets["Evidence"]
        self.vault = buckets["Vault"]

    def admit(self, takers: Sequence[Taker], *, models: Sequence[str]) -> None:
        """Let environments of other accounts read artefacts and evidence of `models`, and learn of what is missing."""
        for taker in in_other_accounts(takers):
            for bucket in (self.models, self.evidence):
                allowed = {
                    "Reads": (["s3:GetObject"], [bucket.arn_for_objects(f"{model}/*") for model in models]),
                    "Lists": (["s3:ListBucket"], [bucket.bucket_arn]),
                }
                for sid, (actions, resources) in allowed.items():
                    bucket.add_to_resource_policy(
                        iam.PolicyStatement(
                            sid=f"{taker.sid}{sid}", principals=[taker.roles()], actions=actions, resources=resources
                        )
                    )

    def _bucket(self, zone: Zone, removal_policy: cdk.RemovalPolicy) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            zone.construct_id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=zone.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[*zone.lifecycle, FORGET_BROKEN_UPLOADS],
            server_access_logs_bucket=self.logs,
            server_access_logs_prefix=f"s3/{zone.construct_id.lower()}/",
            # Governance, not compliance: should a personal value ever reach the evidence, the law wants it erased,
            # and in compliance mode nobody could, not even AWS. No persona holds s3:BypassGovernanceRetention.
            object_lock_default_retention=(
                s3.ObjectLockRetention.governance(zone.locked_for) if zone.locked_for is not None else None
            ),
            removal_policy=removal_policy,
        )
        for statement in _deny_other_keys(bucket, zone.key):
            bucket.add_to_resource_policy(statement)
        return bucket

    def _log_bucket(self, removal_policy: cdk.RemovalPolicy) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Logs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(id="Year", expiration=cdk.Duration.days(365), noncurrent_version_expiration=UNDO),
                FORGET_BROKEN_UPLOADS,
            ],
            removal_policy=removal_policy,
        )
        loop = "This bucket takes the access logs of the others; logging its own would feed itself for ever."
        Validations.of(bucket).acknowledge(
            Acknowledgment(id="AwsSolutions-S1", reason=loop),
            Acknowledgment(id="NIST.800.53.R5-S3BucketLoggingEnabled", reason=loop),
            Acknowledgment(
                id="NIST.800.53.R5-S3DefaultEncryptionKMS",
                reason="S3 delivers access logs only to buckets encrypted with SSE-S3.",
            ),
        )
        return bucket


def _deny_other_keys(bucket: s3.Bucket, key: kms.IKey) -> list[iam.PolicyStatement]:
    """Refuse objects that ask for other encryption than the bucket's; who asks for none gets the bucket's own.

    A negated condition also holds where its key is absent, hence the test that the header is there at all.
    """
    algorithm = "s3:x-amz-server-side-encryption"
    key_id = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    refused: dict[str, dict[str, dict[str, str]]] = {
        "OtherEncryption": {"Null": {algorithm: "false"}, "StringNotEquals": {algorithm: "aws:kms"}},
        "OtherKey": {"Null": {key_id: "false"}, "StringNotEquals": {key_id: key.key_arn}},
        # Without a key id, S3 would take the AWS-managed key instead of the bucket's.
        "UnnamedKey": {"Null": {key_id: "true"}, "StringEquals": {algorithm: "aws:kms"}},
    }
    return [
        iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects("*")],
            conditions=conditions,
        )
        for sid, conditions in refused.items()
    ]
