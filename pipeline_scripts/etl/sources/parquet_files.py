"""Parquet: every file's own schema is what the model declares, and all files have the same."""

from collections.abc import Sequence
from multiprocessing.pool import ThreadPool

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline_scripts.etl.schema import conform, refuse
from pipeline_scripts.etl.sources.source import PROBLEM
from pipeline_scripts.etl.sources.streams import StoredFile
from pipeline_scripts.etl.spark_errors import explained
from pipeline_scripts.model import Model

AT_ONCE = 8  # footers read at the same time


def read_parquet(*, spark: SparkSession, model: Model, files: Sequence[StoredFile]) -> DataFrame:
    """The rows of all files; a typed file has no row that is none.

    Raises:
        SourceRefused: The files' columns are not what the model declares, or differ from file to file.
        EtlError: A file is not Parquet.
    """

    def schema(file: StoredFile) -> T.StructType:
        with explained(f"source: {file.name}"):
            return spark.read.parquet(file.path).schema

    with ThreadPool(AT_ONCE) as pool:
        schemas = pool.map(schema, files)
    _agree(files, schemas)
    rows = spark.read.schema(schemas[0]).parquet(*(file.path for file in files))
    return conform(rows, model.columns).withColumn(PROBLEM, F.lit(None).cast("string"))


def _agree(files: Sequence[StoredFile], schemas: Sequence[T.StructType]) -> None:
    """Refuse files of different columns or types: Spark would fill what is missing, or stop halfway."""
    first = _types(schemas[0])
    problems = [
        f"{file.name}: {', '.join(sorted({name for name, _ in first ^ types}))}: not as in {files[0].name}; write all "
        "files with the same columns and types"
        for file, types in zip(files, map(_types, schemas), strict=True)
        if types != first
    ]
    if problems:
        refuse(problems)


def _types(schema: T.StructType) -> set[tuple[str, str]]:
    return {(field.name.lower(), field.dataType.simpleString()) for field in schema.fields}
