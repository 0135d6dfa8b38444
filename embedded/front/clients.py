"""Clients for the front door itself, from inside its own process and for the jobs it starts."""

import threading
from typing import Any

import boto3
from botocore.config import Config


class Clients:
    """One boto3 client per service, made once. Calling it with a service's name gives the client.

    Args:
        url: The front door's address.
        access_key: The access key that requests are made with.
        region: The region's name.
    """

    def __init__(self, *, url: str, access_key: str, region: str) -> None:
        self._url = url
        # The stubs know each service by a literal name only; here the name is a value.
        self._session: Any = boto3.Session(
            aws_access_key_id=access_key, aws_secret_access_key="embedded", region_name=region
        )
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """Give the client of a service; making one is not thread-safe, using it is."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._session.client(
                    service,
                    endpoint_url=self._url,
                    config=Config(
                        retries={"total_max_attempts": 1},
                        read_timeout=300,
                        max_pool_connections=32,
                        s3={"addressing_style": "path"},
                    ),
                )
            return self._made[service]


def environment(*, url: str, access_key: str, region: str) -> dict[str, str]:
    """What a process needs in its environment so that any AWS SDK talks to the front door."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
