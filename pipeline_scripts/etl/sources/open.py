"""The source behind a connection, whatever its engine."""

from pyspark.sql import SparkSession

from pipeline_scripts.etl.sources.dynamodb import DynamoSource
from pipeline_scripts.etl.sources.files import FileSource
from pipeline_scripts.etl.sources.mongodb import MongoSource
from pipeline_scripts.etl.sources.places import DocumentPlace, DynamoPlace, FilesPlace, Place, RedisPlace
from pipeline_scripts.etl.sources.redis import RedisSource
from pipeline_scripts.etl.sources.source import Source
from pipeline_scripts.etl.storage import Frames, Objects
from pipeline_scripts.model import Model


def open_source(*, spark: SparkSession, model: Model, connection: Place, objects: Objects, frames: Frames) -> Source:
    """The source that `connection` reaches; `objects` and `frames` are the job's own, for what its role may read."""
    match connection:
        case DynamoPlace():
            return DynamoSource(spark=spark, model=model, place=connection)
        case DocumentPlace():
            return MongoSource(spark=spark, model=model, place=connection)
        case RedisPlace():
            return RedisSource(spark=spark, model=model, place=connection)
        case FilesPlace():
            return FileSource(spark=spark, model=model, place=connection, objects=objects, frames=frames)
