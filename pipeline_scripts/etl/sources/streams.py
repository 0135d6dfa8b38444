"""Files as streams of bytes, opened where they are read: on the driver or on an executor."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlparse

from botocore.exceptions import BotoCoreError, ClientError

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.access import AwsAccess

CHUNK_BYTES = 1 << 20
READ_ERRORS = (OSError, ClientError, BotoCoreError)


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of the source: its name there, and where Spark and its executors can open it."""

    name: str
    path: str
    access: AwsAccess


@contextmanager
def open_stream(file: StoredFile) -> Iterator[IO[bytes]]:
    """The file's bytes, decompressed where its name ends in .gz.

    Raises:
        EtlError: It cannot be read to its end.
    """
    try:
        with closing(_raw(file)) as raw:
            if file.path.endswith(".gz"):
                with gzip.open(raw) as stream:
                    yield cast(IO[bytes], stream)
            else:
                yield raw
    except (gzip.BadGzipFile, EOFError, zlib.error):
        sentence = f"{file.name}: is cut off, or not compressed as its name says; write it again"
        raise EtlError(sentence) from None
    except READ_ERRORS as error:
        kind = type(error).__name__
        raise EtlError(
            f"{file.name}: cannot be read ({kind}); see that it is still there and that this job's role may"
        ) from None


def _raw(file: StoredFile) -> IO[bytes]:
    place = urlparse(file.path)
    if place.scheme == "file":
        return Path(unquote(place.path)).open("rb", buffering=CHUNK_BYTES)
    bucket, _, key = file.path.partition("://")[2].partition("/")
    body = file.access.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    return io.BufferedReader(_Body(body), CHUNK_BYTES)


class _Body(io.RawIOBase):
    """An object's body as Python's own readers take it."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
