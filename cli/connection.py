"""How the command reaches AWS: the usual variables and profile, or embedded AWS."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from cli.errors import BatonError

EMBEDDED_ENDPOINT = Path("build/embedded/endpoint.json")
# Waits are bounded by our own loops, so a call that hangs must end before they do.
PATIENCE = Config(connect_timeout=10, read_timeout=120, retries={"mode": "standard", "max_attempts": 5})


@dataclass
class Connection:
    """One identity at one endpoint; clients are made once each."""

    session: boto3.Session
    endpoint_url: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        if service not in self._clients:
            # The stubs know every service by a literal name of its own; here the name is a variable.
            make: Any = self.session.client
            self._clients[service] = make(service, endpoint_url=self.endpoint_url, config=PATIENCE)
        return self._clients[service]

    def assume(self, role_arn: str, *, session_name: str) -> "Connection":
        """The same place, as another role, in a session that says who took it: a role's trust may ask for that."""
        answer = self.client("sts").assume_role(
            RoleArn=role_arn, RoleSessionName=session_name, SourceIdentity=session_name
        )
        keys = answer["Credentials"]
        session = boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=self.session.region_name,
        )
        return Connection(session, self.endpoint_url)


def connect(*, embedded: bool) -> Connection:
    """Reach AWS as the environment says, or the embedded AWS that runs here.

    Raises:
        BatonError: Embedded AWS was asked for and does not run.
    """
    if not embedded:
        return Connection(boto3.Session(), os.environ.get("AWS_ENDPOINT_URL"))
    if not EMBEDDED_ENDPOINT.is_file():
        raise BatonError(
            f"embedded AWS does not run ({EMBEDDED_ENDPOINT} is missing); start it with: python -m embedded start"
        )
    return from_environment(json.loads(EMBEDDED_ENDPOINT.read_text(encoding="utf-8"))["environment"])


def from_environment(environment: dict[str, str]) -> Connection:
    """Reach what a set of AWS variables describes, without making them this process's own."""
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    return Connection(session, environment["AWS_ENDPOINT_URL"])
