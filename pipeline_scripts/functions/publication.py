"""What an ingestion has published: the pointer to the current data set, and the manifest behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline_scripts.functions.json_object import json_object


class PublicationError(Exception):
    """Pointer or manifest cannot be used; the message says which, and how to mend it."""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One published version. What its manifest does not say is None."""

    run_id: str
    dataset_uri: str
    dataset_hash: str
    rows: int
    rejected: int | None
    new_surrogates: int | None
    mode: str | None
    quality: tuple[tuple[str, str], ...]


def read_publication(s3: Any, *, bucket: str, model: str) -> Publication:
    """The version that the pointer names.

    Raises:
        PublicationError: There is none, or it cannot be read.
    """
    uri = f"s3://{bucket}/{model}/current.json"
    pointer = _read(s3, bucket=bucket, key=f"{model}/current.json")
    try:
        run_id, manifest_uri = str(pointer["run_id"]), str(pointer["manifest_uri"])
        dataset_uri, dataset_hash = str(pointer["dataset_uri"]), str(pointer["dataset_hash"])
        rows = int(pointer["rows"])
    except (KeyError, TypeError, ValueError) as error:
        raise PublicationError(f"{uri} names no data set ({error!r}); run the ingestion of {model} again") from error
    own = f"s3://{bucket}/"
    if not manifest_uri.startswith(f"{own}{model}/"):
        raise PublicationError(f"{uri} names a manifest outside its model's prefix: {manifest_uri}")
    manifest = _read(s3, bucket=bucket, key=manifest_uri.removeprefix(own))
    said = (manifest.get("run_id"), manifest.get("dataset_hash"), manifest.get("rows"))
    if said != (run_id, dataset_hash, rows):
        raise PublicationError(f"{manifest_uri} is not the manifest of the run that {uri} names, {run_id}")
    return Publication(
        run_id=run_id,
        dataset_uri=dataset_uri,
        dataset_hash=dataset_hash,
        rows=rows,
        rejected=_rejected(manifest.get("rejected")),
        new_surrogates=_count(manifest, "new_surrogates"),
        mode=str(manifest["mode"]) if manifest.get("mode") else None,
        quality=_quality(manifest.get("quality")),
    )


def _read(s3: Any, *, bucket: str, key: str) -> dict[str, Any]:
    uri = f"s3://{bucket}/{key}"
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey as error:
        raise PublicationError(f"{uri} does not exist, although the ETL job said that it succeeded") from error
    try:
        return json_object(body, where=uri)
    except ValueError as error:
        raise PublicationError(str(error)) from error


def _count(manifest: Mapping[str, Any], name: str) -> int | None:
    value = manifest.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _rejected(by_reason: Any) -> int | None:
    """How many rows were rejected, for whatever reason."""
    return sum(by_reason.values()) if isinstance(by_reason, dict) else None


def _quality(results: Any) -> tuple[tuple[str, str], ...]:
    """Each rule and its outcome."""
    if not isinstance(results, list):
        return ()
    return tuple((str(r.get("rule", "")), str(r.get("outcome", ""))) for r in results if isinstance(r, dict))
