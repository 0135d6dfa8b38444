"""Who vouches for a version: one function, with a key that signs for nobody else."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from baton.foundation.lineage import let_tell_lineage
from baton.foundation.taker import Taker, in_other_accounts
from baton.permissions import allow
from baton.platform import Platform
from baton.training.signed_evidence import SignedEvidence


class EvidenceSigner(Construct):
    """Checks the bundle of evidence of one model's versions and signs its hash.

    The key's own policy denies signing to everybody but the function's role: no policy of another role, an
    administrator's neither, can allow it. The private key never leaves KMS. Asymmetric keys cannot be rotated.

    Args:
        platform: Keys and zones.
        model: The model's name, which is its prefix in the zones.

    Attributes:
        evidence: What it signs, and who may verify it.
        function: What the pipeline's step calls.

    See:
        https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform, model: str) -> None:
        super().__init__(scope, construct_id)
        self._key = kms.Key(
            self,
            "Key",
            description=f"Baton: signs the evidence of {model}",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=platform.removal_policy,
        )
        self.evidence = SignedEvidence(model=model, files=platform.version_files, key=self._key)
        handler = platform.handler_function(
            self,
            "Handler",
            handler="sign_evidence",
            description=f"Checks and signs the evidence of a version of {model}",
            environment=self.evidence.environment,
            timeout=cdk.Duration.minutes(5),
        )
        self.function = handler.function
        let_tell_lineage(handler, environment=platform.environment_name, model=model, actions=["PipelineExecution"])
        self.evidence.grant_read(handler.role)
        allow(
            handler.role,
            ["s3:PutObject"],
            [platform.zones.evidence.arn_for_objects(f"{model}/*/evidence/signature.json")],
            why="Each execution has a folder of its own; the signature is the one file it may write there.",
        )
        allow(handler.role, ["kms:GenerateDataKey"], [platform.keys.models.key_arn])
        allow(handler.role, ["kms:Sign"], [self._key.key_arn])
        self._key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyTheSignerSigns",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:Sign"],
                resources=["*"],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": handler.role.role_arn}},
            )
        )

    def admit(self, takers: Sequence[Taker]) -> None:
        """Let environments of other accounts verify what was signed here."""
        for taker in in_other_accounts(takers):
            self._key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"{taker.sid}Verifies",
                    principals=[taker.roles()],
                    actions=["kms:GetPublicKey", "kms:Verify"],
                    resources=["*"],
                )
            )
