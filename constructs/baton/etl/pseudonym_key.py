"""The key that makes pseudonyms."""

import string

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct


class PseudonymKey(Construct):
    """The key of the keyed hashes: 32 random bytes that nobody has ever seen.

    Whoever holds it can link a pseudonym to a person they know of, so only the ETL job reads it.

    Args:
        key: Encrypts it.
        removal_policy: What becomes of it when it leaves the template. Without it, no hash of the past can be matched.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, removal_policy: cdk.RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.secret = secretsmanager.Secret(
            self,
            "Resource",
            description="Key of the keyed hashes: key, 64 hex digits",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",
                generate_string_key="key",
                exclude_characters=string.ascii_lowercase[6:],
                exclude_uppercase=True,
                exclude_punctuation=True,
                password_length=64,
            ),
            removal_policy=removal_policy,
        )
        linked = "A new key would give every person a new pseudonym and cut each data set off from the ones before."
        Validations.of(self.secret).acknowledge(
            Acknowledgment(id="AwsSolutions-SMG4", reason=linked),
            Acknowledgment(id="NIST.800.53.R5-SecretsManagerRotationEnabled", reason=linked),
        )
