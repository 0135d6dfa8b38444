"""Objects that a decision rests on: read from the one bucket that may hold them, or refused in one sentence."""

import hashlib
from typing import Any

from botocore.exceptions import ClientError

from pipeline_scripts.functions.json_object import json_object

CHUNK = 1024 * 1024


class Refused(Exception):
    """The version must not serve; the message is the reason."""


class Objects:
    """The objects of one bucket.

    Args:
        s3: The client.
        bucket: The only bucket that is read.
    """

    def __init__(self, s3: Any, *, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read(self, uri: str) -> bytes:
        """The content of an object.

        Raises:
            Refused: It lies elsewhere, does not exist, or is empty.
        """
        content: bytes = self._open(uri).read()
        if not content:
            raise Refused(f"{uri} is empty")
        return content

    def sha256(self, uri: str) -> str:
        """The hash of an object, in hex digits.

        Raises:
            Refused: It lies elsewhere or does not exist.
        """
        digest = hashlib.sha256()
        for chunk in self._open(uri).iter_chunks(CHUNK):
            digest.update(chunk)
        return digest.hexdigest()

    def write(self, uri: str, content: bytes) -> None:
        """Write an object; the bucket encrypts it.

        Raises:
            Refused: It would lie elsewhere.
        """
        self._s3.put_object(Bucket=self._bucket, Key=self._key(uri), Body=content)

    def _open(self, uri: str) -> Any:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=self._key(uri))["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise Refused(f"{uri} does not exist") from error
            raise

    def _key(self, uri: str) -> str:
        place = f"s3://{self._bucket}/"
        if not uri.startswith(place):
            raise Refused(f"{uri or 'an unnamed object'} does not lie in {self._bucket}, where Baton keeps it")
        key = uri.removeprefix(place)
        # What one reader of an address takes for a part of the key, another cuts off, and both would be right.
        if not key or key.startswith("/") or "?" in key or "#" in key:
            raise Refused(f"{uri} names no object as Baton does: a key without ?, # and a slash in front")
        return key


def as_json(content: bytes, *, where: str) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        Refused: It is none.
    """
    try:
        return json_object(content, where=where)
    except ValueError as error:
        raise Refused(str(error)) from error
