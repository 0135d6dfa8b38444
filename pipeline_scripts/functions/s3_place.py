"""Objects by their s3:// address: one to leave, and one that may not be there yet."""

from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError


def leave(s3: Any, uri: str, content: str) -> None:
    """Write an object; the bucket encrypts it."""
    bucket, key = _place(uri)
    s3.put_object(Bucket=bucket, Key=key, Body=content.encode())


def read(s3: Any, uri: str) -> bytes | None:
    """The content of an object; None while it is not there."""
    bucket, key = _place(uri)
    try:
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        return None
    return content


def _place(uri: str) -> tuple[str, str]:
    parts = urlparse(uri)
    return parts.netloc, parts.path.lstrip("/")
