"""The objects that a transform job reads, and where their answers and its captures go."""

import gzip
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from embedded.compute.job import JobRefused, only
from embedded.compute.object_store import put_object, read_object, relative_name, split_uri


@dataclass(frozen=True, kw_only=True)
class Source:
    """One object: its URI, and its name below the job's input."""

    uri: str
    name: str


def sources(s3: Any, given: Mapping[str, Any]) -> list[Source]:
    """The objects of a TransformInput, in the order of their keys or of the manifest.

    Raises:
        JobRefused: There are none, or they cannot be listed.
    """
    source = given["DataSource"]["S3DataSource"]
    try:
        if source["S3DataType"] == "ManifestFile":
            found = list(_listed_in_manifest(s3, source["S3Uri"]))
        else:
            only(source, "S3DataType", "S3Prefix", default="S3Prefix", where="TransformInput")
            found = list(_below(s3, source["S3Uri"]))
    except (ClientError, ValueError) as error:
        raise JobRefused(f"ClientError: cannot read {source['S3Uri']!r}: {error}") from error
    if not found:
        raise JobRefused(
            f"ClientError: No S3 objects found under S3 URL {source['S3Uri']!r} given in input data source"
        )
    return found


def _below(s3: Any, uri: str) -> Iterator[Source]:
    bucket, prefix = split_uri(uri)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield Source(uri=f"s3://{bucket}/{entry['Key']}", name=relative_name(entry["Key"], prefix))


def _listed_in_manifest(s3: Any, uri: str) -> Iterator[Source]:
    entries = json.loads(read_object(s3, uri=uri))
    prefix = entries[0]["prefix"]
    for name in entries[1:]:
        yield Source(uri=f"{prefix.rstrip('/')}/{name}", name=name)


def read(s3: Any, source: Source, *, compression: str) -> bytes:
    """An object's content.

    Raises:
        JobRefused: It cannot be read or unpacked.
    """
    try:
        content = read_object(s3, uri=source.uri)
        return gzip.decompress(content) if compression == "Gzip" else content
    except (ClientError, OSError, EOFError) as error:
        raise JobRefused(f"ClientError: cannot read {source.uri!r}: {error}") from error


def write(s3: Any, output: Mapping[str, Any], source: Source, content: bytes) -> str:
    """Store an object's answers; gives their name below the output's path.

    Raises:
        JobRefused: They cannot be written.
    """
    name = f"{source.name}.out"
    uri = f"{output['S3OutputPath'].rstrip('/')}/{name}"
    try:
        put_object(s3, uri=uri, body=content, content_type=output.get("Accept"), kms_key=output.get("KmsKeyId"))
    except ClientError as error:
        raise JobRefused(f"ClientError: cannot write {uri!r}: {error}") from error
    return name


def capture(
    s3: Any, config: Mapping[str, Any], *, inputs: list[str], outputs: tuple[str, list[str]], at: datetime
) -> None:
    """Write the manifests of what was read and written, which is all that a job's data capture stores.

    Args:
        s3: The S3 client.
        config: The job's DataCaptureConfig.
        inputs: The URIs of the objects that were read.
        outputs: The output path, and the names of the objects below it.
        at: The hour they are filed under.
    """
    read_from = inputs[0].rpartition("/")[0]
    names = [uri.removeprefix(f"{read_from}/") if uri.startswith(f"{read_from}/") else uri for uri in inputs]
    for side, prefix, entries in (("input", read_from, names), ("output", outputs[0].rstrip("/"), outputs[1])):
        manifest = json.dumps([{"prefix": f"{prefix}/"}, *entries])
        moment = f"{at:%Y/%m/%d/%H}/{at:%M-%S}-{at.microsecond // 1000:03d}-{uuid.uuid4()}"
        uri = f"{config['DestinationS3Uri'].rstrip('/')}/{side}/{moment}.json"
        put_object(s3, uri=uri, body=manifest.encode(), content_type=None, kms_key=config.get("KmsKeyId"))
