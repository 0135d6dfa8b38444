"""Finds the source that a run's arguments name."""

from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from pipeline_scripts.etl.arguments import RELATIONAL, Arguments
from pipeline_scripts.etl.connection import find_connection
from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.jdbc import JdbcSource
from pipeline_scripts.etl.sources.source import Source
from pipeline_scripts.etl.storage import Frames, Objects
from pipeline_scripts.model import Model


@dataclass(frozen=True, kw_only=True)
class Clients:
    """The AWS services the job calls."""

    s3: Any
    glue: Any
    secretsmanager: Any


def open_source(
    *, spark: SparkSession, model: Model, arguments: Arguments, clients: Clients, objects: Objects, frames: Frames
) -> Source:
    """The source of the engine that the arguments name.

    Raises:
        EtlError: The engine is not known, or its place or its secret says too little.
    """
    if arguments.engine in RELATIONAL:
        connection = find_connection(
            name=arguments.connection_name,
            secret_arn=arguments.secret_arn,
            glue=clients.glue,
            secrets=clients.secretsmanager,
        )
        return JdbcSource(spark=spark, connection=connection, model=model)
    raise EtlError(f"arguments: --engine {arguments.engine!r} is none that is known")
