"""Makes a checked run the published version: its files, then its manifest, then, last and at once, the pointer."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime, timezone

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.storage import Objects
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


def output_columns(model: Model) -> list[dict[str, str]]:
    """Name and type of every curated column, in order."""
    outputs = [column.output for column in model.columns if column.output is not None]
    return [{"name": name, "type": model.kind(name)} for name in outputs]


def publish(
    *,
    files: Sequence[DataFile],
    dataset_hash: str,
    staged_uri: str,
    curated_uri: str,
    run_id: str,
    model: Model,
    as_of: date,
    code_commit: str,
    objects: Objects,
) -> None:
    """Copy the staged files to the run's prefix in the curated zone and point to them."""
    run_uri = f"{curated_uri}/runs/{run_id}"
    for file in files:
        objects.copy(f"{staged_uri}/{file.name}", f"{run_uri}/{file.name}")
    manifest = {
        "model": model.name,
        "run_id": run_id,
        "dataset_uri": f"{run_uri}/",
        "rows": sum(file.rows for file in files),
        "columns": output_columns(model),
        "files": [asdict(file) for file in files],
        "dataset_hash": dataset_hash,
        "as_of": as_of.isoformat(),
        "code_commit": code_commit,
        "created_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    objects.write_json(f"{run_uri}/manifest.json", manifest)
    # What the catalogue's table reads (Hive's SymlinkTextInputFormat): the files of this version, and of no other.
    objects.write_text(f"{curated_uri}/current/files", "".join(f"{run_uri}/{file.name}\n" for file in files))
    pointer = {name: manifest[name] for name in ("run_id", "dataset_uri", "dataset_hash", "rows")}
    objects.write_json(f"{curated_uri}/current.json", {**pointer, "manifest_uri": f"{run_uri}/manifest.json"})
