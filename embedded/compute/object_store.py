"""How jobs read from and write to S3, with SageMaker's own rules for prefixes."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from embedded.compute.job import JobRefused


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address.

    Raises:
        JobRefused: It is no such address.
    """
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise JobRefused(f"ClientError: {uri!r} is not an S3 URI; write s3://bucket/key")
    return parts.netloc, parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")


def relative_name(key: str, prefix: str) -> str:
    """Where an object lands below the local folder: what follows the prefix's last complete folder."""
    if key != prefix and (prefix.endswith("/") or key[len(prefix) :].startswith("/") or not prefix):
        return key[len(prefix) :].lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def download(s3: Any, *, uri: str, folder: Path) -> int:
    """Copy every object under a prefix, or the one object of that name, into a folder.

    Returns:
        How many objects there were.

    Raises:
        JobRefused: There are none, or the bucket cannot be read.
    """
    count = fetch(s3, uri=uri, folder=folder)
    if not count:
        raise JobRefused(
            f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
            "the bucket exists in the selected region, that objects exist under that S3 prefix, and that the role "
            "has s3:ListBucket permission on it."
        )
    return count


def fetch(s3: Any, *, uri: str, folder: Path) -> int:
    """Copy whatever lies under a prefix into a folder.

    Returns:
        How many objects there were.

    Raises:
        JobRefused: The bucket cannot be read.
    """
    bucket, prefix = split_uri(uri)
    count = 0
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/"):
                    _download_object(s3, bucket=bucket, key=entry["Key"], prefix=prefix, folder=folder)
                    count += 1
    except ClientError as error:
        raise JobRefused(f"ClientError: cannot read {uri!r}: {error}") from error
    return count


def _download_object(s3: Any, *, bucket: str, key: str, prefix: str, folder: Path) -> None:
    target = (folder / relative_name(key, prefix)).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise JobRefused(f"ClientError: the object name {key!r} would leave the input folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    s3.download_file(bucket, key, str(target))


def read_object(s3: Any, *, uri: str) -> bytes:
    """The content of one object."""
    bucket, key = split_uri(uri)
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def put_object(s3: Any, *, uri: str, body: bytes, content_type: str | None, kms_key: str | None) -> None:
    """Write one object, under the given key if there is one."""
    bucket, key = split_uri(uri)
    given = {"ContentType": content_type} if content_type else {}
    s3.put_object(Bucket=bucket, Key=key, Body=body, **given, **_encryption(kms_key))


def upload_folder(s3: Any, *, folder: Path, uri: str, kms_key: str | None) -> int:
    """Copy every file of a folder below a prefix; returns how many there were."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        upload_file(s3, path=path, uri=f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", kms_key=kms_key)
    return len(files)


def upload_file(s3: Any, *, path: Path, uri: str, kms_key: str | None) -> None:
    """Copy one file to one object, under the given key if the job names one."""
    bucket, key = split_uri(uri)
    try:
        s3.upload_file(str(path), bucket, key, ExtraArgs=_encryption(kms_key))
    except Exception as error:  # boto3 wraps refusals in S3UploadFailedError, which is no ClientError
        raise JobRefused(f"ClientError: cannot write {uri!r}: {error}") from error


def _encryption(kms_key: str | None) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
