"""Objects by their s3:// address."""

from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError


def put(s3: Any, uri: str, content: bytes) -> None:
    """Write an object; the bucket's own settings encrypt it."""
    bucket, key = _place(uri)
    s3.put_object(Bucket=bucket, Key=key, Body=content)


def read(s3: Any, uri: str) -> bytes | None:
    """An object's content; None while there is none. Without a permission to list, S3 would call that forbidden."""
    bucket, key = _place(uri)
    try:
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    return content


def _place(uri: str) -> tuple[str, str]:
    parts = urlparse(uri)
    return parts.netloc, parts.path.lstrip("/")
