"""The way to a source, whatever its kind."""

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from baton.etl.certificate_authority import CertificateAuthority
from baton.etl.source_login import SourceLogin
from baton.foundation.network import PrivateNetwork
from baton.permissions import allow


class SourceAccess(Construct):
    """What an ETL job needs to read one source: arguments, a Glue connection, permissions, and mostly a login.

    Each kind of source is a class of its own that says what is peculiar to it. Every job is attached to a connection,
    even where its source has no address in the network: without one Glue runs the workers in a network of its own,
    past the platform's endpoints and their policies.

    `secret` holds the login, or is None where IAM alone opens the source.

    Args:
        engine: What kind of source it is, in the word of the configuration.
        place: Where it is, by the keys of the configuration; never a password.
        network: The network the workers run in.
        login: Where the login lies; None where IAM alone opens the source.
        connection_type: `JDBC`, or `NETWORK` where Glue has no driver of its own to configure.
        connection_properties: What Glue's driver is told besides the login.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        engine: str,
        place: Mapping[str, str | int],
        network: PrivateNetwork,
        login: SourceLogin | None = None,
        connection_type: str = "NETWORK",
        connection_properties: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.engine = engine
        self._place = dict(place)
        self._login = login
        self._authority: CertificateAuthority | None = None
        self.secret: secretsmanager.ISecret | None = None
        properties = dict(connection_properties or {})
        if login is not None:
            self.secret = login.secret_in(self, place=str(place.get("database", engine)))
            if properties:
                properties["SECRET_ID"] = self.secret.secret_arn
        self.connection_name = self._connect(network, connection_type, properties)

    @property
    def arguments(self) -> dict[str, str]:
        """What the job is told of its source."""
        place = json.dumps(self._place, sort_keys=True, separators=(",", ":"))
        login = {} if self.secret is None else {"--secret_arn": self.secret.secret_arn}
        authority = {} if self._authority is None else self._authority.arguments
        return {"--engine": self.engine, "--place": place, **login, **authority}

    def grant_read(self, role: iam.Role) -> None:
        """Let `role` find the connection and read the login. A kind of source adds what opens the source itself."""
        stack = cdk.Stack.of(self)
        allow(
            role,
            ["glue:GetConnection"],
            [
                stack.format_arn(service="glue", resource="catalog"),
                stack.format_arn(service="glue", resource="connection", resource_name=self.connection_name),
            ],
        )
        if self._login is not None and self.secret is not None:
            self._login.grant_read(role, self.secret)
        if self._authority is not None:
            self._authority.grant_read(role)

    @property
    def _description(self) -> str:
        address = self._place.get("host") or self._place.get("bucket")
        return self.engine if address is None else f"{self.engine} at {address}"

    def _connect(self, network: PrivateNetwork, connection_type: str, properties: Mapping[str, str]) -> str:
        subnet = network.vpc.isolated_subnets[0]
        connection = glue.CfnConnection(
            self,
            "Resource",
            catalog_id=cdk.Stack.of(self).account,
            connection_input=glue.CfnConnection.ConnectionInputProperty(
                connection_type=connection_type,
                description=self._description,
                connection_properties=properties or None,
                physical_connection_requirements=glue.CfnConnection.PhysicalConnectionRequirementsProperty(
                    availability_zone=subnet.availability_zone,
                    subnet_id=subnet.subnet_id,
                    security_group_id_list=network.security_group_ids,
                ),
            ),
        )
        Validations.of(connection).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::W3010",
                reason="The zone is configuration: without its name synthesis would have to ask the account.",
            )
        )
        return connection.ref
