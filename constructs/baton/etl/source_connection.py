"""The way to a company's database, and the secrets of that way."""

import string

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from baton.etl.jdbc_source import JdbcSource
from baton.foundation.network import PrivateNetwork


class SourceConnection(Construct):
    """A Glue connection into the company's network, with its login in Secrets Manager.

    The secret starts with a generated password; the database's administrator gives the reading user that password,
    or puts their own one in.

    Args:
        source: The database.
        network: The network the workers run in.
        key: Encrypts the login.
        removal_policy: What becomes of the login when it leaves the template.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: JdbcSource,
        network: PrivateNetwork,
        key: kms.IKey,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.secret = secretsmanager.Secret(
            self,
            "Login",
            description=f"Login of the reading user on {source.database}: username, password",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"username": "baton_reader"}',
                generate_string_key="password",
                exclude_punctuation=True,  # some engines and some URLs choke on it; 48 letters and digits need none
                password_length=48,
            ),
            removal_policy=removal_policy,
        )
        owned = "The database belongs to another team, which rotates its users; no function here could reach it."
        Validations.of(self.secret).acknowledge(
            Acknowledgment(id="AwsSolutions-SMG4", reason=owned),
            Acknowledgment(id="NIST.800.53.R5-SecretsManagerRotationEnabled", reason=owned),
        )
        subnet = network.vpc.isolated_subnets[0]
        connection = glue.CfnConnection(
            self,
            "Resource",
            catalog_id=cdk.Stack.of(self).account,
            connection_input=glue.CfnConnection.ConnectionInputProperty(
                connection_type="JDBC",
                description=f"{source.engine} at {source.host}",
                connection_properties={
                    "JDBC_CONNECTION_URL": source.url,
                    "JDBC_ENFORCE_SSL": "true",
                    "SECRET_ID": self.secret.secret_arn,
                },
                physical_connection_requirements=_placement(subnet, network),
            ),
        )
        Validations.of(connection).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::W3010",
                reason="The zone is configuration: without its name synthesis would have to ask the account.",
            )
        )
        self.connection_name = connection.ref


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


def _placement(
    subnet: ec2.ISubnet, network: PrivateNetwork
) -> glue.CfnConnection.PhysicalConnectionRequirementsProperty:
    return glue.CfnConnection.PhysicalConnectionRequirementsProperty(
        availability_zone=subnet.availability_zone,
        subnet_id=subnet.subnet_id,
        security_group_id_list=network.security_group_ids,
    )
