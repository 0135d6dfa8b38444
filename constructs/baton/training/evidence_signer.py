"""Who vouches for a version: one function, with a key that signs for nobody else."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from baton.foundation.lineage import let_tell_lineage
from baton.permissions import allow
from baton.platform import Platform


class EvidenceSigner(Construct):
    """Checks the bundle of evidence of one model's versions and signs its hash.

    The key's own policy denies signing to everybody but the function's role: no policy of another role, an
    administrator's neither, can allow it. The private key never leaves KMS. Asymmetric keys cannot be rotated.

    Args:
        platform: Keys and zones.
        model: The model's name, which is its prefix in the zones.

    Attributes:
        key: Signs; who may verify is granted by `grant_verify`.
        environment: What a function that signs or verifies is told.
        function: What the pipeline's step calls.

    See:
        https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform, model: str) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Baton: signs the evidence of {model}",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=platform.removal_policy,
        )
        zones = platform.zones
        self._platform = platform
        self._model = model
        self.environment = {
            "MODEL_NAME": model,
            "EVIDENCE_BUCKET": zones.evidence.bucket_name,
            "MODELS_BUCKET": zones.models.bucket_name,
            "SIGNING_KEY_ARN": self.key.key_arn,
        }
        handler = platform.handler_function(
            self,
            "Handler",
            handler="sign_evidence",
            description=f"Checks and signs the evidence of a version of {model}",
            environment=self.environment,
            timeout=cdk.Duration.minutes(5),
        )
        self.function = handler.function
        let_tell_lineage(handler, environment=platform.environment_name, model=model, actions=["PipelineExecution"])
        self._grant_read(handler.role)
        allow(
            handler.role,
            ["s3:PutObject"],
            [zones.evidence.arn_for_objects(f"{model}/*/evidence/signature.json")],
            why="Each execution has a folder of its own; the signature is the one file it may write there.",
        )
        allow(handler.role, ["kms:GenerateDataKey"], [platform.keys.models.key_arn])
        allow(handler.role, ["kms:Sign"], [self.key.key_arn])
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyTheSignerSigns",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:Sign"],
                resources=["*"],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": handler.role.role_arn}},
            )
        )

    def grant_verify(self, role: iam.Role) -> None:
        """Let `role` read artefacts and evidence of the model, and verify a signature, here or outside of AWS."""
        self._grant_read(role)
        allow(role, ["kms:GetPublicKey", "kms:Verify"], [self.key.key_arn])

    def _grant_read(self, role: iam.Role) -> None:
        zones = self._platform.zones
        allow(
            role,
            ["s3:GetObject"],
            [bucket.arn_for_objects(f"{self._model}/*") for bucket in (zones.models, zones.evidence)],
            why="Every version lies in a folder of its own under this model's prefix.",
        )
        # Without it S3 answers that access is denied, and not that an object is missing.
        allow(role, ["s3:ListBucket"], [zones.models.bucket_arn, zones.evidence.bucket_arn])
        allow(role, ["kms:Decrypt"], [self._platform.keys.models.key_arn])
