"""The user and password that open a source."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from baton.permissions import allow


@dataclass(frozen=True, kw_only=True)
class SourceLogin:
    """Where a source's login lies: in a secret of the platform's own, or in one that the company owns.

    The platform's starts with a generated password under `key`; the source's administrator gives the reading user that
    password, or puts their own one in. `secret_arn` is the whole ARN of the company's, and then nothing is made.
    `removal_policy` says what becomes of the platform's when it leaves the template.
    """

    key: kms.IKey
    removal_policy: cdk.RemovalPolicy
    secret_arn: str | None = None

    def secret_in(self, scope: Construct, *, place: str) -> secretsmanager.ISecret:
        """The secret, made or found in `scope`; `place` says in its description what it opens."""
        if self.secret_arn is not None:
            return secretsmanager.Secret.from_secret_complete_arn(scope, "Login", self.secret_arn)
        secret = secretsmanager.Secret(
            scope,
            "Login",
            description=f"Login of the reading user on {place}: username, password",
            encryption_key=self.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"username": "baton_reader"}',
                generate_string_key="password",
                exclude_punctuation=True,  # some engines and some URLs choke on it; 48 letters and digits need none
                password_length=48,
            ),
            removal_policy=self.removal_policy,
        )
        owned = "The source belongs to another team, which rotates its users; no function here could reach it."
        Validations.of(secret).acknowledge(
            Acknowledgment(id="AwsSolutions-SMG4", reason=owned),
            Acknowledgment(id="NIST.800.53.R5-SecretsManagerRotationEnabled", reason=owned),
        )
        return secret

    def grant_read(self, role: iam.Role, secret: secretsmanager.ISecret) -> None:
        """Let `role` read `secret`, which is the one this login made or found."""
        allow(role, ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], [secret.secret_arn])
        if self.secret_arn is None:
            return  # whoever uses this says which roles may use the platform's key
        partition, region, account = (self.secret_arn.split(":")[position] for position in (1, 3, 4))
        allow(
            role,
            ["kms:Decrypt"],
            [f"arn:{partition}:kms:{region}:{account}:key/*"],
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
                    "kms:EncryptionContext:SecretARN": self.secret_arn,
                }
            },
            why="The key is its owner's choice; Secrets Manager binds each use of it to the secret named here.",
        )
