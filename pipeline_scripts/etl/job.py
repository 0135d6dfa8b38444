"""The ETL job: what Glue starts, for a run or for an erasure."""

import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
from pyspark.sql import SparkSession

from pipeline_scripts.etl.arguments import Arguments, parse_arguments
from pipeline_scripts.etl.erasure import erase
from pipeline_scripts.etl.lake import Lake
from pipeline_scripts.etl.run import Run
from pipeline_scripts.etl.sources.open import Clients
from pipeline_scripts.etl.spark_errors import explained
from pipeline_scripts.etl.storage import Objects, open_frames
from pipeline_scripts.etl.surrogates import new_run_id
from pipeline_scripts.model import Model, load_model

SPARK_SETTINGS = {
    # A database's times are taken as they stand there: Spark would shift them to the zone of its machine.
    "spark.sql.session.timeZone": "UTC",
    # Java compiles no method of more bytecodes. A wide table makes such ones, unless Spark is told to split them.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}

log = logging.getLogger("baton.etl")


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Run the job with Glue's arguments. Returns its summary, which is also the last line of its log.

    Raises:
        EtlError: The run stopped, and nothing was published.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    arguments, model = parse_arguments(argv), load_model()
    clients = Clients(s3=boto3.client("s3"), glue=boto3.client("glue"), secretsmanager=boto3.client("secretsmanager"))
    builder = SparkSession.builder.appName(f"baton-etl-{model.name}")
    for name, value in SPARK_SETTINGS.items():
        builder = builder.config(name, value)
    summary = work(spark=builder.getOrCreate(), model=model, arguments=arguments, clients=clients)
    log.info(json.dumps(summary))
    return summary


def work(*, spark: SparkSession, model: Model, arguments: Arguments, clients: Clients) -> dict[str, Any]:
    """One run: from the source to a published version; or an erasure.

    Raises:
        SourceRefused: The source is not what the model declares; nothing was written.
        QualityRefused: Its quality is below what the model's rules allow; nothing was published.
        RunQuarantined: The output failed its check; nothing was published.
        Overtaken: Another run published meanwhile; what that one published stays.
    """
    now = datetime.now(timezone.utc)
    run_id = new_run_id(now)
    objects = Objects(clients.s3)
    with tempfile.TemporaryDirectory(prefix="baton-etl-") as folder:
        frames = open_frames(spark=spark, objects=objects, folder=Path(folder))
        lake = Lake(spark=spark, objects=objects, frames=frames, clients=clients)
        with explained(f"source {model.name}"):
            if arguments.erasure:
                return erase(lake=lake, model=model, arguments=arguments, run_id=run_id, now=now)
            return Run(lake=lake, model=model, arguments=arguments, run_id=run_id, now=now).execute()
