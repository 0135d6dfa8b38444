"""Reading what the platform wrote to S3."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.connection import Connection
from cli.errors import BatonError


@dataclass(frozen=True)
class StoredObject:
    """An object as a listing shows it."""

    uri: str
    modified: datetime
    size: int

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.uri.rsplit("/", 1)[-1]


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address.

    Raises:
        BatonError: It is no such address.
    """
    if not uri.startswith("s3://"):
        raise BatonError(f"{uri!r} is not an S3 address (s3://bucket/key)")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def read_bytes(connection: Connection, uri: str) -> bytes | None:
    """An object's content; None when there is no such object."""
    bucket, key = split(uri)
    try:
        return bytes(connection.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            return None
        raise


def read_json(connection: Connection, uri: str) -> dict[str, Any] | None:
    """A JSON object's content; None when there is no such object.

    Raises:
        BatonError: The object is not JSON.
    """
    content = read_bytes(connection, uri)
    if content is None:
        return None
    try:
        parsed: dict[str, Any] = json.loads(content)
    except ValueError as error:
        raise BatonError(f"{uri} is not JSON: {error}") from error
    return parsed


def read_lines(connection: Connection, uri: str) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file, in order; none when there is no such file."""
    content = read_bytes(connection, uri) or b""
    return [json.loads(line) for line in content.splitlines() if line.strip()]


def listing(connection: Connection, uri: str) -> Iterator[StoredObject]:
    """Every object under a prefix."""
    bucket, prefix = split(uri)
    for page in connection.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield StoredObject(f"s3://{bucket}/{entry['Key']}", entry["LastModified"], entry["Size"])
