import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.storage import CarriedFrames, Objects, Overtaken, Pointer, SparkFrames, open_frames
from tests.runtime.etl.workbench import NEWCOMERS, ROWS, Job, published


class FolderS3:
    """The S3 client's calls on a folder: what the Spark of the test sees below s3:// as well."""

    exceptions = SimpleNamespace(NoSuchKey=FileNotFoundError)
    meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None, unregister=lambda *_: None))

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **_: Any) -> None:
        path = self._root / Bucket / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Body if isinstance(Body, bytes) else Body.read())

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        content = (self._root / Bucket / Key).read_bytes()
        body = SimpleNamespace(read=lambda: content, iter_chunks=lambda size: iter([content]))
        return {"Body": body, "ETag": "whatever"}

    def copy_object(self, *, Bucket: str, Key: str, CopySource: dict[str, str]) -> None:
        body = (self._root / CopySource["Bucket"] / CopySource["Key"]).read_bytes()
        self.put_object(Bucket=Bucket, Key=Key, Body=body)

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> None:
        for item in Delete["Objects"]:
            (self._root / Bucket / item["Key"]).unlink()

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        bucket = self._root / Bucket
        files = [path for path in sorted(bucket.rglob("*")) if path.is_file()]
        names = [path.relative_to(bucket).as_posix() for path in files]
        yield {"Contents": [{"Key": name} for name in names if name.startswith(Prefix)]}


@pytest.fixture
def s3_in_spark(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """Lets Spark itself read and write s3://, as Glue's does; the buckets are folders."""
    context: Any = spark.sparkContext
    settings = {
        "fs.s3.impl.disable.cache": "true",  # every test has folders of its own
        "fs.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "fs.viewfs.overload.scheme.target.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
    }
    for bucket in ("curated", "vault"):
        (tmp_path / bucket).mkdir()
        settings[f"fs.viewfs.mounttable.{bucket}.linkFallback"] = (tmp_path / bucket).as_uri()
    configuration = context._jsc.hadoopConfiguration()
    for name, value in settings.items():
        configuration.set(name, value)
    yield tmp_path
    for name in settings:
        configuration.unset(name)


def test_spark_that_knows_s3_reads_and_writes_it_itself(spark: SparkSession, s3_in_spark: Path, tmp_path: Path) -> None:
    frames = open_frames(spark=spark, objects=Objects(None), folder=tmp_path)
    assert isinstance(frames, SparkFrames)
    frames.write(spark.range(3), "s3://vault/numbers")
    assert list((s3_in_spark / "vault/numbers").glob("*.parquet"))
    assert frames.read("s3://vault/numbers", schema="id bigint").count() == 3


def test_whole_job_where_spark_knows_s3(job: Job, s3_in_spark: Path) -> None:
    job.clients = replace(job.clients, s3=FolderS3(s3_in_spark))
    first = job.run()
    job.database.fill([*ROWS, *NEWCOMERS])
    assert job.run()["new_surrogates"] == 2
    assert [row["ref"] for row in published(job)] == [1, 2, 3, 4, 5, 6]
    left = [path for path in (s3_in_spark / "vault/clients/staging").rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix == ".parquet"]
    assert first["rows"] == 4


def test_spark_without_s3_carries_folders(spark: SparkSession, job: Job, tmp_path: Path) -> None:
    frames = open_frames(spark=spark, objects=Objects(job.clients.s3), folder=tmp_path)
    assert isinstance(frames, CarriedFrames)
    frames.write(spark.range(5).repartition(2), "s3://vault/numbers")
    names = job.names("s3://vault/numbers/")
    assert len(names) == 2
    assert all(name.endswith(".parquet") for name in names)
    assert sorted(row[0] for row in frames.read("s3://vault/numbers", schema="id bigint").collect()) == [0, 1, 2, 3, 4]


def test_cluster_without_s3_is_refused(tmp_path: Path) -> None:
    hadoop = SimpleNamespace(get=lambda name: None)
    context = SimpleNamespace(master="yarn", _jsc=SimpleNamespace(hadoopConfiguration=lambda: hadoop))
    spark: Any = SimpleNamespace(sparkContext=context)
    with pytest.raises(EtlError, match="this cluster has no file system for s3://"):
        open_frames(spark=spark, objects=Objects(None), folder=tmp_path)


def test_objects_are_written_read_listed_copied_and_removed(job: Job, tmp_path: Path) -> None:
    objects = Objects(job.clients.s3)
    assert objects.read_json("s3://vault/a/none.json") is None
    objects.write_json("s3://vault/a/b/one.json", {"x": "é"})
    objects.copy("s3://vault/a/b/one.json", "s3://curated/two.json")
    assert objects.read_json("s3://curated/two.json") == {"x": "é"}
    job.clients.s3.upload_fileobj(io.BytesIO(b""), "vault", "ab/other")  # begins like a/ but does not lie below it
    assert objects.list_names("s3://vault/a") == ["b/one.json"]
    objects.delete_below("s3://vault/a")
    assert job.names("s3://vault/") == ["ab/other"]


def test_a_pointer_is_replaced_only_if_it_is_what_was_read(job: Job) -> None:
    objects, uri = Objects(job.clients.s3), "s3://vault/pointer.json"
    nothing = objects.read_pointer(uri)
    objects.replace_pointer(uri, {"n": 1}, was=nothing)
    first = objects.read_pointer(uri)
    objects.replace_pointer(uri, {"n": 2}, was=first)
    for outdated in (nothing, first):
        with pytest.raises(Overtaken, match=r"pointer.json: another run changed it meanwhile"):
            objects.replace_pointer(uri, {"n": 3}, was=outdated)
    assert objects.read_json(uri) == {"n": 2}
    objects.write_json(uri, {"n": 4})  # without a condition, as ever


def test_a_pointer_that_was_replaced_by_a_request_whose_answer_got_lost_is_replaced(job: Job) -> None:
    objects, uri = Objects(job.clients.s3), "s3://vault/pointer.json"
    objects.replace_pointer(uri, {"n": 1}, was=objects.read_pointer(uri))
    objects.replace_pointer(uri, {"n": 1}, was=Pointer(content=None, tag=None))


def test_more_objects_than_one_request_takes_are_removed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_scripts.etl.storage.DELETE_BATCH", 2)
    objects = Objects(job.clients.s3)
    for number in range(5):
        objects.write_json(f"s3://vault/many/{number}", {})
    objects.delete_below("s3://vault/many")
    assert job.names("s3://vault/") == []
