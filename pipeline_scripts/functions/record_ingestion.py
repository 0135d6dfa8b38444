"""After the ETL job: what is published now, whether it is new, and whether it is as much as usual."""

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from pipeline_scripts.functions import lineage_words as words
from pipeline_scripts.functions.ingestion_ledger import IngestionLedger, Run, open_ledger
from pipeline_scripts.functions.lineage import Lineage, action, artifact, open_lineage
from pipeline_scripts.functions.publication import Publication, read_publication

logger = Logger(service="record_ingestion")

NAMESPACE = "Baton/Ingestion"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record what the execution's ETL job has published, and publish it as metrics."""
    state = record(
        event,
        ledger=open_ledger(),
        s3=boto3.client("s3"),
        lineage=open_lineage(),
        bucket=os.environ["CURATED_BUCKET"],
        model=os.environ["MODEL_NAME"],
        environment=os.environ["ENVIRONMENT_NAME"],
        source=os.environ["SOURCE"],
        clock=time.time,
    )
    logger.info("published", extra=state["published"])
    return state


def record(
    state: dict[str, Any],
    *,
    ledger: IngestionLedger,
    s3: Any,
    lineage: Lineage,
    bucket: str,
    model: str,
    environment: str,
    source: str,
    clock: Callable[[], float],
) -> dict[str, Any]:
    """Read the published version and compare it with that of the last complete run.

    A run that found nothing new in its source has checked all the same that what is published is current, so its
    metrics say so too. What changed stays "changed" until a run is complete: a crash cannot swallow a training.

    Args:
        state: The workflow's state.
        ledger: The model's ledger.
        s3: Reads the curated zone.
        lineage: Is told of a version that is new.
        bucket: The curated zone.
        model: The model's name, its prefix there.
        environment: The environment's name.
        source: What the rows came from: the name of the connection, and the table behind it.
        clock: Seconds since the epoch.

    Returns:
        The state with `published`: `changed`, `run_id`, `dataset_uri`, `rows`, `dataset_hash`, whether to `train`, and
        the `token` by which a start of that training is known however often it is tried.

    Raises:
        PublicationError: Nothing usable is published.
        ClaimLost: Another run has taken over.
    """
    run = Run(execution=state["execution"], started_at=state["started_at"])
    now = read_publication(s3, bucket=bucket, model=model)
    known_hash, known_run = ledger.published()
    changed = now.dataset_hash != known_hash
    usual = ledger.usual_rows()
    minutes = (clock() - datetime.fromisoformat(state["started_at"].replace("Z", "+00:00")).timestamp()) / 60
    ledger.note(run, {**_facts(now), "changed": changed, "job_run": str(state.get("job", {}).get("run", ""))})
    _publish_metrics(now, usual=usual, minutes=minutes, model=model, environment=environment)
    if changed:
        _tell(lineage, run.execution, now, source=source)
    published = {
        "changed": changed,
        "run_id": now.run_id,
        "dataset_uri": now.dataset_uri,
        "rows": now.rows,
        "dataset_hash": now.dataset_hash,
        "train": changed and bool(state["train"]),
        "token": f"{known_run}>{now.dataset_hash}",
    }
    return {**state, "published": published}


def _tell(lineage: Lineage, execution: str, now: Publication, *, source: str) -> None:
    table = artifact(words.SOURCE_TABLE, words.source_address(source), name=source)
    ingestion = action(words.INGESTION, execution, name=now.run_id, mode=now.mode or "")
    dataset = artifact(words.DATASET, words.dataset_address(now.dataset_uri), name=now.dataset_hash, rows=str(now.rows))
    lineage.tell([(table, ingestion), (ingestion, dataset)])


def _facts(now: Publication) -> Mapping[str, str | int]:
    known: dict[str, str | int] = {"run_id": now.run_id, "dataset_hash": now.dataset_hash, "rows": now.rows}
    told = {"rejected": now.rejected, "new_surrogates": now.new_surrogates, "mode": now.mode}
    quality = {"quality": json.dumps(now.quality)} if now.quality else {}
    return {**known, **{name: value for name, value in told.items() if value is not None}, **quality}


def _publish_metrics(now: Publication, *, usual: float | None, minutes: float, model: str, environment: str) -> None:
    """Print the metrics in CloudWatch's embedded format, from which CloudWatch makes metrics of the log."""
    # Without a service of its own: it would be a third dimension of every metric.
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
    metrics.add_dimension("Model", model)
    metrics.add_dimension("Environment", environment)
    metrics.add_metadata("run_id", now.run_id)
    metrics.add_metric("PublishedRows", MetricUnit.Count, now.rows)
    metrics.add_metric("RunMinutes", MetricUnit.NoUnit, round(minutes, 3))
    if now.rejected is not None:
        metrics.add_metric("RejectedRows", MetricUnit.Count, now.rejected)
    if now.new_surrogates is not None:
        metrics.add_metric("NewSurrogates", MetricUnit.Count, now.new_surrogates)
    if usual:
        metrics.add_metric("RowsOfUsual", MetricUnit.Percent, round(100 * now.rows / usual, 3))
    metrics.flush_metrics()
