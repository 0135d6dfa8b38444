"""Where a run works."""

from dataclasses import dataclass

from pyspark.sql import SparkSession

from pipeline_scripts.etl.sources.open import Clients
from pipeline_scripts.etl.storage import Frames, Objects


@dataclass(frozen=True, kw_only=True)
class Lake:
    """Where a run works: Spark, the objects and frames of the lake, and the services it calls."""

    spark: SparkSession
    objects: Objects
    frames: Frames
    clients: Clients
