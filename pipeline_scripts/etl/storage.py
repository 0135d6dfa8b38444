"""S3 for objects and for Spark's frames.

Glue's Spark reads and writes s3:// itself. A Spark without an S3 file system (a laptop, embedded AWS) works on a local
folder that is carried to and from S3; that is refused on a cluster, whose nodes do not share a disk.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

from botocore.exceptions import ClientError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from pipeline_scripts.etl.errors import EtlError

CHUNK_BYTES = 1 << 20
DELETE_BATCH = 1000  # the most that one DeleteObjects takes


class Overtaken(EtlError):
    """Somebody else changed a pointer since it was read, so this run's change was not made."""


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """A small JSON object that says what is current, as it was read; `tag` is the state that was read.

    Both are None where there is none yet.
    """

    content: dict[str, Any] | None
    tag: str | None


def split_uri(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` as bucket and key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One object as a listing shows it; `last_modified` is aware, in UTC, and S3 counts it in seconds."""

    uri: str
    size: int
    last_modified: datetime


class Objects:
    """The objects of the lake, by their s3:// URIs."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def list_names(self, prefix_uri: str) -> list[str]:
        """Names below `prefix_uri/`, relative to it, sorted."""
        bucket, prefix = split_uri(f"{prefix_uri}/")
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sorted(item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", []))

    def list_objects(self, prefix_uri: str) -> Iterator[StoredObject]:
        """Every object below `prefix_uri/`, in the order of names, a page of the listing at a time."""
        bucket, prefix = split_uri(f"{prefix_uri}/")
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                uri = f"s3://{bucket}/{item['Key']}"
                yield StoredObject(uri=uri, size=item["Size"], last_modified=item["LastModified"])

    def read_json(self, uri: str) -> dict[str, Any] | None:
        """The JSON object at `uri`, None where there is none."""
        return self.read_pointer(uri).content

    def read_pointer(self, uri: str) -> Pointer:
        """The JSON object at `uri`, with what `replace_pointer` needs to see whether it is still the same."""
        bucket, key = split_uri(uri)
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key)
        except self._client.exceptions.NoSuchKey:
            return Pointer(content=None, tag=None)
        except ClientError as error:
            # Who may list only a part of a bucket may be told "access denied" where the truth is "no such object".
            if error.response["Error"]["Code"] != "AccessDenied" or self._is_there(bucket, key):
                raise
            return Pointer(content=None, tag=None)
        return Pointer(content=cast(dict[str, Any], json.loads(answer["Body"].read())), tag=answer["ETag"])

    def replace_pointer(self, uri: str, content: dict[str, Any], *, was: Pointer) -> None:
        """Put `content` at `uri`, in one request, if what lies there is still what was read.

        S3 itself compares. The condition travels as a header, because Glue 5's boto3 has no argument for it yet.

        Raises:
            Overtaken: It is not; nothing was changed.

        See:
            https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        condition = {"If-None-Match": "*"} if was.tag is None else {"If-Match": was.tag}

        def add_condition(params: dict[str, Any], **_: Any) -> None:
            params["headers"].update(condition)

        events = self._client.meta.events
        events.register("before-call.s3.PutObject", add_condition)
        try:
            self.write_json(uri, content)
        except ClientError as error:
            # Refused: or done before, by this very request, whose answer was lost and which was sent again.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409, 412):
                raise
            if self.read_json(uri) != content:
                raise Overtaken(f"{uri}: another run changed it meanwhile; run the job again, alone") from error
        finally:
            events.unregister("before-call.s3.PutObject", add_condition)

    def _is_there(self, bucket: str, key: str) -> bool:
        found = self._client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return bool(found) and found[0]["Key"] == key

    def write_json(self, uri: str, content: dict[str, Any]) -> None:
        """Replace the object at `uri` in one request, so that a reader sees the old one or the new one."""
        bucket, key = split_uri(uri)
        body = json.dumps(content, indent=2).encode()
        # A bucket that locks its objects takes none without a checksum.
        self._client.put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="application/json", ChecksumAlgorithm="SHA256"
        )

    def write_text(self, uri: str, content: str) -> None:
        """Replace the object at `uri` in one request."""
        bucket, key = split_uri(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=content.encode(), ContentType="text/plain")

    def fingerprint(self, uri: str) -> tuple[str, int]:
        """SHA-256 and size in bytes of the object at `uri`."""
        digest, size = hashlib.sha256(), 0
        for chunk in self._chunks(uri):
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    def copy(self, source_uri: str, target_uri: str) -> None:
        """Copy one object inside S3."""
        (source_bucket, source_key), (bucket, key) = split_uri(source_uri), split_uri(target_uri)
        self._client.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": source_bucket, "Key": source_key})

    def delete(self, uri: str) -> None:
        """Remove one object."""
        bucket, key = split_uri(uri)
        self._client.delete_object(Bucket=bucket, Key=key)

    def delete_below(self, prefix_uri: str) -> None:
        """Remove every object below `prefix_uri/`."""
        bucket, prefix = split_uri(f"{prefix_uri}/")
        keys = [{"Key": prefix + name} for name in self.list_names(prefix_uri)]
        for start in range(0, len(keys), DELETE_BATCH):
            batch = {"Objects": keys[start : start + DELETE_BATCH], "Quiet": True}
            self._client.delete_objects(Bucket=bucket, Delete=batch)

    def delete_old_versions(self, prefix_uri: str) -> None:
        """Remove for good what was overwritten or deleted below `prefix_uri/`; what is current stays."""
        bucket, prefix = split_uri(f"{prefix_uri}/")
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            old = [*(item for item in page.get("Versions", []) if not item["IsLatest"]), *page.get("DeleteMarkers", [])]
            if old:  # a page holds no more than one DeleteObjects takes
                batch = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in old]
                self._client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})

    def upload(self, path: Path, uri: str) -> None:
        """Put a local file at `uri`."""
        bucket, key = split_uri(uri)
        with path.open("rb") as body:
            self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def download(self, uri: str, path: Path) -> None:
        """Put the object at `uri` into a local file."""
        with path.open("wb") as file:
            for chunk in self._chunks(uri):
                file.write(chunk)

    def _chunks(self, uri: str) -> Iterator[bytes]:
        bucket, key = split_uri(uri)
        yield from self._client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK_BYTES)


class Frames(Protocol):
    """Spark's frames as folders of Parquet files under s3:// URIs."""

    def write(self, frame: DataFrame, uri: str) -> None:
        """Write `frame` as Parquet files directly below `uri`."""

    def read(self, uri: str, *, schema: str | StructType) -> DataFrame:
        """The frame whose Parquet files lie directly below `uri`; to find the schema itself Spark would need a job."""

    def locate(self, uris: Sequence[str], *, objects: Objects) -> list[str]:
        """Where this Spark, its executors too, can open what `objects` holds at `uris`, in the same order."""


class SparkFrames:
    """For a Spark that knows s3:// itself."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def write(self, frame: DataFrame, uri: str) -> None:
        """Write through Spark's S3 file system."""
        _parquet(frame, uri)

    def read(self, uri: str, *, schema: str | StructType) -> DataFrame:
        """Read through Spark's S3 file system."""
        return self._spark.read.schema(schema).parquet(uri)

    def locate(self, uris: Sequence[str], *, objects: Objects) -> list[str]:
        """Where they lie.

        Raises:
            EtlError: A name holds what Spark takes for a pattern of names.
        """
        for uri in uris:
            if re.search(r"[\[\]{}*?\\]", uri):
                raise EtlError(f"{uri}: Spark takes this name for a pattern; rename it without any of []{{}}*?\\")
        return list(uris)


class CarriedFrames:
    """For a Spark that knows only local folders: `folder` holds what is carried to and from S3."""

    def __init__(self, spark: SparkSession, objects: Objects, folder: Path) -> None:
        self._spark = spark
        self._objects = objects
        self._folder = folder

    def write(self, frame: DataFrame, uri: str) -> None:
        """Write locally, then upload the Parquet files."""
        local = self._new_folder() / "frame"
        _parquet(frame, local.as_uri())
        for path in sorted(local.glob("*.parquet")):
            self._objects.upload(path, f"{uri}/{path.name}")

    def read(self, uri: str, *, schema: str | StructType) -> DataFrame:
        """Download the Parquet files, then read them locally."""
        local = self._new_folder()
        for name in self._objects.list_names(uri):
            if name.endswith(".parquet"):
                self._objects.download(f"{uri}/{name}", local / name)
        return self._spark.read.schema(schema).parquet(local.as_uri())

    def locate(self, uris: Sequence[str], *, objects: Objects) -> list[str]:
        """Download them, each into a folder of its own, under its own name where a disk takes it."""
        local, paths = self._new_folder(), []
        for number, uri in enumerate(uris):
            name = uri.rpartition("/")[2]
            if not re.fullmatch(r"\w[\w.-]{0,100}", name, re.ASCII):
                name = f"object{Path(name).suffix}"
            path = local / f"{number:06}" / name
            path.parent.mkdir()
            objects.download(uri, path)
            paths.append(path.as_uri())
        return paths

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._folder))


def open_frames(*, spark: SparkSession, objects: Objects, folder: Path) -> Frames:
    """The frames this Spark can reach.

    Raises:
        EtlError: A cluster has no S3 file system.
    """
    if _knows_s3(spark):
        return SparkFrames(spark)
    if not str(spark.sparkContext.master).startswith("local"):
        raise EtlError("Spark: this cluster has no file system for s3://; add one (hadoop-aws, or run on Glue)")
    return CarriedFrames(spark, objects, folder)


def _knows_s3(spark: SparkSession) -> bool:
    context: Any = spark.sparkContext
    return context._jsc.hadoopConfiguration().get("fs.s3.impl") is not None


def _parquet(frame: DataFrame, uri: str) -> None:
    frame.write.mode("error").option("compression", "zstd").parquet(uri)
