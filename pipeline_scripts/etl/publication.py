"""Makes a checked run the published version: its files, then its manifest, then, at once, the pointer."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime, timezone
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.storage import Objects, Pointer
from pipeline_scripts.etl.versions import MANIFEST, output_columns
from pipeline_scripts.etl.window import plan_hash
from pipeline_scripts.model import Model

HASHING_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One Parquet file of a dataset version."""

    name: str
    sha256: str
    bytes: int
    rows: int


def describe_files(*, staged: DataFrame, uri: str, objects: Objects) -> list[DataFile]:
    """Name, hash, size and rows of every Parquet file below `uri`, whose content is `staged`.

    Raises:
        EtlError: S3 lists other files than Spark reads.
    """
    rows = {row[0]: row[1] for row in staged.groupBy(F.col("_metadata.file_name")).count().collect()}
    names = [name for name in objects.list_names(uri) if name.endswith(".parquet")]
    if set(rows) != set(names):
        raise EtlError(f"{uri}: S3 lists {len(names)} file(s) and Spark reads {len(rows)}; run the job again")
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        fingerprints = list(pool.map(lambda name: objects.fingerprint(f"{uri}/{name}"), names))
    return [
        DataFile(name=name, sha256=sha256, bytes=size, rows=rows[name])
        for name, (sha256, size) in zip(names, fingerprints, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a manifest says of a version besides its files.

    `read_in_full_at` is when all rows were last read from the source, in this run or an earlier one. `rejected` counts
    the rows that were read and are not in it, by reason.
    """

    run_id: str
    mode: str
    why: str
    dataset_hash: str
    as_of: date
    code_commit: str
    read_in_full_at: str
    watermark: dict[str, Any] | None
    rejected: dict[str, int]
    new_surrogates: int
    quality: Sequence[dict[str, Any]] = ()


def publish(
    version: Version,
    *,
    files: Sequence[DataFile],
    staged_uri: str,
    curated_uri: str,
    model: Model,
    was: Pointer,
    objects: Objects,
) -> dict[str, Any]:
    """Copy the staged files to the run's prefix in the curated zone and point to them.

    Args:
        version: What is published.
        files: Its files.
        staged_uri: Where they lie.
        curated_uri: The model's prefix in the curated zone.
        model: Whose dataset it is.
        was: The pointer that this version was made from.
        objects: To copy and write.

    Returns:
        The manifest.

    Raises:
        Overtaken: Another run published meanwhile; what is published stays.
    """
    run_uri = f"{curated_uri}/runs/{version.run_id}"
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        list(pool.map(lambda file: objects.copy(f"{staged_uri}/{file.name}", f"{run_uri}/{file.name}"), files))
    manifest = {
        "model": model.name,
        "dataset_uri": f"{run_uri}/",
        "rows": sum(file.rows for file in files),
        "columns": output_columns(model),
        "files": [asdict(file) for file in files],
        "dataset_version": model.settings["dataset"]["version"],
        "plan_hash": plan_hash(model),
        "created_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **asdict(version),
        "as_of": version.as_of.isoformat(),
    }
    objects.write_json(f"{run_uri}/{MANIFEST}", manifest)
    pointer = {name: manifest[name] for name in ("run_id", "dataset_uri", "dataset_hash", "rows")}
    objects.replace_pointer(
        f"{curated_uri}/current.json", {**pointer, "manifest_uri": f"{run_uri}/{MANIFEST}"}, was=was
    )
    list_current(files=files, run_uri=run_uri, curated_uri=curated_uri, objects=objects)
    return manifest


def list_current(*, files: Sequence[DataFile], run_uri: str, curated_uri: str, objects: Objects) -> None:
    """Write what the catalogue's table reads (Hive's SymlinkTextInputFormat): this version's files, and no other's.

    It follows the pointer and can be lost between the two; then queries see the version before, whole, until the
    next run.
    """
    objects.write_text(f"{curated_uri}/current/files", "".join(f"{run_uri}/{file.name}\n" for file in files))
