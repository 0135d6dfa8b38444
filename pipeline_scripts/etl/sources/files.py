"""Files below a prefix of S3; what was written when tells a run which of them are new."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline_scripts.etl.errors import EtlError, SourceRefused
from pipeline_scripts.etl.schema import SPARK_TYPES
from pipeline_scripts.etl.sources.access import AwsAccess
from pipeline_scripts.etl.sources.csv_files import read_csv
from pipeline_scripts.etl.sources.json_files import read_json
from pipeline_scripts.etl.sources.parquet_files import read_parquet
from pipeline_scripts.etl.sources.places import FilesPlace
from pipeline_scripts.etl.sources.source import PROBLEM, Watermark, Window
from pipeline_scripts.etl.sources.streams import StoredFile
from pipeline_scripts.etl.storage import Frames, Objects, StoredObject
from pipeline_scripts.model import Model

MOST_FILES = 10_000
READERS = {"csv": read_csv, "json": read_json, "parquet": read_parquet}
ASSUMED_ROLE = "org.apache.hadoop.fs.s3a.auth.AssumedRoleCredentialProvider"


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """The files below a prefix, but for those whose names begin with a dot or an underscore, as Spark has it too.

    Their watermark is when they were last written, in S3's whole seconds; a file that was written again is read again.
    """

    spark: SparkSession
    model: Model
    place: FilesPlace
    objects: Objects
    frames: Frames

    def newest(self) -> Watermark | None:
        """See `Source.newest`."""
        if self.model.source["watermark"] is None:
            return None
        return max((item.last_modified for item in self._listing()), default=None)

    def read(self, window: Window) -> DataFrame:
        """See `Source.read`. Of a window without files there are no rows.

        Raises:
            SourceRefused: There is no file at all, or one of them is not what its format and the model say.
        """
        listed = self._listing()
        if not listed:
            raise SourceRefused(
                f"source refused, nothing was written: {self._prefix} holds no file; see source.table and who fills it"
            )
        inside = [item for item in listed if _lies_in(item, window)]
        if not inside:
            return _no_rows(self.spark, self.model)
        return READERS[self.model.source["format"]](spark=self.spark, model=self.model, files=self._located(inside))

    @property
    def _prefix(self) -> str:
        return f"s3://{self.place.bucket}/{self.model.source['table'].strip('/')}".rstrip("/")

    @property
    def _access(self) -> AwsAccess:
        place = self.place
        return AwsAccess(region=place.region, endpoint_url=place.endpoint_url, role_arn=place.role_arn)

    @property
    def _stored(self) -> Objects:
        """The bucket's objects, as whoever may read them."""
        return Objects(self._access.client("s3")) if self.place.role_arn else self.objects

    def _listing(self) -> list[StoredObject]:
        every = (item for item in self._stored.list_objects(self._prefix) if _is_data(item.uri, self._prefix))
        listed = list(islice(every, MOST_FILES + 1))
        if len(listed) > MOST_FILES:
            raise EtlError(f"{self._prefix}: holds more than {MOST_FILES} files; join them, or move old ones away")
        return listed

    def _located(self, items: Sequence[StoredObject]) -> list[StoredFile]:
        uris = [item.uri for item in items]
        paths = self.frames.locate(uris, objects=self._stored)
        if self.place.role_arn is not None and paths[0].startswith("s3://"):
            _let_spark_assume(self.spark, self.place)
            paths = [f"s3a://{path.removeprefix('s3://')}" for path in paths]
        names = [uri.removeprefix(f"{self._prefix}/") for uri in uris]
        return [StoredFile(name=name, path=path, access=self._access) for name, path in zip(names, paths, strict=True)]


def _is_data(uri: str, prefix: str) -> bool:
    """No marker of a folder, and nothing that a writer keeps for itself."""
    parts = uri.removeprefix(f"{prefix}/").split("/")
    return bool(parts[-1]) and not any(part.startswith(("_", ".")) for part in parts)


def _lies_in(item: StoredObject, window: Window) -> bool:
    low, high = window.low, window.high
    return (low is None or item.last_modified >= low) and (high is None or item.last_modified <= high)  # type: ignore[operator]


def _let_spark_assume(spark: SparkSession, place: FilesPlace) -> None:
    """Have Hadoop's own S3 file system read this one bucket as the role; it renews what it is given."""
    context: Any = spark.sparkContext
    settings = context._jsc.hadoopConfiguration()
    settings.set(f"fs.s3a.bucket.{place.bucket}.aws.credentials.provider", ASSUMED_ROLE)
    settings.set(f"fs.s3a.bucket.{place.bucket}.assumed.role.arn", place.role_arn)


def _no_rows(spark: SparkSession, model: Model) -> DataFrame:
    none = spark.createDataFrame([], T.StructType())
    columns = (F.lit(None).cast(SPARK_TYPES[column.type]).alias(column.name) for column in model.columns)
    return none.select(*columns, F.lit(None).cast("string").alias(PROBLEM))
