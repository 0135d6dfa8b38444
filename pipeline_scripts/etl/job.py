"""The ETL job: source → refuse or read → pseudonymise → stage beside the vault → check → publish.

What is not yet checked lies only in the vault's bucket, which no reader of the curated zone can open.
"""

import json
import logging
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline_scripts.etl.arguments import Arguments, parse_arguments
from pipeline_scripts.etl.connection import find_connection, find_hash_key
from pipeline_scripts.etl.content import content_hash
from pipeline_scripts.etl.errors import SourceRefused
from pipeline_scripts.etl.publication import describe_files, output_columns, publish
from pipeline_scripts.etl.source import read_source
from pipeline_scripts.etl.staging import Staging
from pipeline_scripts.etl.storage import Objects, open_frames
from pipeline_scripts.etl.surrogates import SurrogateVault
from pipeline_scripts.etl.treatments import pseudonymise, surrogate_column
from pipeline_scripts.model import Model, load_model

ROWS_PER_FILE = 250_000  # tens of megabytes of Parquet: few requests to read, enough files to write in parallel

log = logging.getLogger("baton.etl")


@dataclass(frozen=True, kw_only=True)
class Clients:
    """The AWS services the job calls."""

    s3: Any
    glue: Any
    secretsmanager: Any


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Run the job with Glue's arguments. Returns its summary, which is also the last line of its log.

    Raises:
        EtlError: The run stopped, and nothing was published.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    arguments, model = parse_arguments(argv), load_model()
    clients = Clients(s3=boto3.client("s3"), glue=boto3.client("glue"), secretsmanager=boto3.client("secretsmanager"))
    spark = SparkSession.builder.appName(f"baton-etl-{model.name}").getOrCreate()
    summary = run(spark=spark, model=model, arguments=arguments, clients=clients)
    log.info(json.dumps(summary))
    return summary


def run(*, spark: SparkSession, model: Model, arguments: Arguments, clients: Clients) -> dict[str, Any]:
    """One run, from the source to the published version.

    Raises:
        SourceRefused: The source is not what the model declares; nothing was written.
        RunQuarantined: The output failed its check; nothing was published.
    """
    run_id = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    key = find_hash_key(secret_arn=arguments.pseudonym_secret_arn, secrets=clients.secretsmanager)
    connection = find_connection(
        name=arguments.connection_name,
        secret_arn=arguments.secret_arn,
        glue=clients.glue,
        secrets=clients.secretsmanager,
    )
    objects = Objects(clients.s3)
    unread = read_source(spark=spark, connection=connection, model=model)
    with _read_once(unread) as source, tempfile.TemporaryDirectory(prefix="baton-etl-") as folder:
        frames = open_frames(spark=spark, objects=objects, folder=Path(folder))
        rows = _count(source, model)
        log.info("read %d rows", rows)
        vaults = {
            column.name: SurrogateVault(
                uri=f"{arguments.vault_uri}/surrogates/{column.name}",
                run_id=run_id,
                spark=spark,
                objects=objects,
                frames=frames,
            )
            for column in model.columns
            if column.treatment == "surrogate"
        }
        frame, new = _with_surrogates(source, vaults)
        log.info("gave %d new surrogates", new)
        frame = pseudonymise(frame, model=model, key=key, as_of=arguments.as_of, spark=spark)
        staging = Staging(vault_uri=arguments.vault_uri, run_id=run_id, model=model, objects=objects, frames=frames)
        staged = staging.write(frame, rows=rows)
        files = describe_files(staged=staged, uri=staging.uri, objects=objects)
        staging.check(staged=staged, source=source, rows=rows, written=sum(file.rows for file in files))
        dataset_hash = content_hash(staged, columns=output_columns(model))
        log.info("checked %d rows in %d file(s): no personal value", rows, len(files))
    publish(
        files=files,
        dataset_hash=dataset_hash,
        staged_uri=staging.uri,
        curated_uri=arguments.curated_uri,
        run_id=run_id,
        model=model,
        as_of=arguments.as_of,
        code_commit=arguments.code_commit,
        objects=objects,
    )
    staging.clear()
    log.info("published run %s", run_id)
    return {"run_id": run_id, "rows": rows, "new_surrogates": new, "dataset_hash": dataset_hash}


@contextmanager
def _read_once(source: DataFrame) -> Iterator[DataFrame]:
    """Hold on to the rows: they, their count and the values of the check must be of the same moment."""
    held = source.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield held
    finally:
        held.unpersist()


def _count(source: DataFrame, model: Model) -> int:
    """How many rows there are, none of them without a key.

    Raises:
        SourceRefused: There is no row, or one has no key.
    """
    counts = source.agg(F.count(F.lit(1)), F.count(model.key)).collect()[0]
    rows, keyed = int(counts[0]), int(counts[1])
    if not rows:
        raise SourceRefused("source refused, nothing was written: it has no row; see whether its table was filled")
    if keyed < rows:
        raise SourceRefused(
            f"source refused, nothing was written: {model.key}: {rows - keyed} row(s) have no key; "
            "fill it, or leave them out in source.query"
        )
    return rows


def _with_surrogates(source: DataFrame, vaults: dict[str, SurrogateVault]) -> tuple[DataFrame, int]:
    """The source with the ordinals of its surrogate columns, and how many of those are new."""
    frame, new = source, 0
    for column, vault in vaults.items():
        enrolment = vault.enrol(source.select(column))
        ordinals = enrolment.ordinals.toDF("__key", surrogate_column(column))
        frame = frame.join(ordinals, F.col(column).cast("string") == F.col("__key"), "left").drop("__key")
        new += enrolment.new
    return frame, new
