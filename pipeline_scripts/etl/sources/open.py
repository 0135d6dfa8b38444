"""The source that a run's arguments name, whatever its engine."""

from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from pipeline_scripts.etl.arguments import RELATIONAL, Arguments
from pipeline_scripts.etl.connection import find_connection
from pipeline_scripts.etl.sources.dynamodb import DynamoSource
from pipeline_scripts.etl.sources.files import FileSource
from pipeline_scripts.etl.sources.jdbc import JdbcSource
from pipeline_scripts.etl.sources.mongodb import MongoSource
from pipeline_scripts.etl.sources.places import DocumentPlace, DynamoPlace, FilesPlace, RedisPlace, find_place
from pipeline_scripts.etl.sources.redis import RedisSource
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
    """The source, by its engine; `objects` and `frames` are the job's own, for what its role may read.

    Raises:
        EtlError: The engine is not known, or its place or its login says too little.
    """
    if arguments.engine in RELATIONAL:
        connection = find_connection(
            name=arguments.connection_name,
            secret_arn=arguments.secret_arn,
            glue=clients.glue,
            secrets=clients.secretsmanager,
        )
        return JdbcSource(spark=spark, connection=connection, model=model)
    place = find_place(
        engine=arguments.engine,
        place_json=arguments.place,
        secret_arn=arguments.secret_arn,
        secrets=clients.secretsmanager,
    )
    match place:
        case DynamoPlace():
            return DynamoSource(spark=spark, model=model, place=place)
        case DocumentPlace():
            return MongoSource(spark=spark, model=model, place=place)
        case RedisPlace():
            return RedisSource(spark=spark, model=model, place=place)
        case FilesPlace():
            return FileSource(spark=spark, model=model, place=place, objects=objects, frames=frames)
