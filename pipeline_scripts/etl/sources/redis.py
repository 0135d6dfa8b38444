"""Hashes of Redis: each executor walks the keys, takes its share, and asks for whole hashes in pipelines."""

import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from pipeline_scripts.etl.errors import EtlError, SourceRefused
from pipeline_scripts.etl.sources.places import RedisPlace
from pipeline_scripts.etl.sources.records import Record, Shaping, read_records
from pipeline_scripts.etl.sources.source import EVERYTHING, Watermark, Window
from pipeline_scripts.etl.sources.text import parse_cells, within
from pipeline_scripts.etl.spark_errors import explained
from pipeline_scripts.model import Column, Model

ANSWER_WITHIN_S = 30


@dataclass(frozen=True, kw_only=True)
class RedisSource:
    """The hashes whose keys match a pattern; their fields are columns, and all of their values are text.

    Redis knows no order and no query, so all of it is read and the window applied here. A text that is not of its
    declared type makes its row a problem. Keys of another kind than a hash refuse the source. A cluster's shards are
    not walked: name a replica group.
    """

    spark: SparkSession
    model: Model
    place: RedisPlace

    def newest(self) -> Watermark | None:
        """See `Source.newest`. Asks each hash for nothing but the watermark."""
        watermark = self.model.source["watermark"]
        if watermark is None:
            return None
        columns = tuple(column for column in self.model.columns if column.name == watermark)
        frame = self._parsed(columns, field=watermark)
        with explained("source"):
            row = frame.agg(F.max(watermark)).first()
        return None if row is None else row[0]

    def read(self, window: Window) -> DataFrame:
        """See `Source.read`."""
        frame = self._parsed(self.model.columns, is_whole=window == EVERYTHING)
        return within(frame, watermark=self.model.source["watermark"], window=window)

    def _parsed(self, columns: tuple[Column, ...], *, field: str | None = None, is_whole: bool = False) -> DataFrame:
        source = self.model.source
        slices = [
            _Share(
                place=self.place,
                pattern=source["table"],
                number=number,
                of=source["partitions"],
                fetch_size=source["fetch_size"],
                field=field,
            )
            for number in range(source["partitions"])
        ]
        texts = Shaping(
            columns=tuple(replace(column, type="string") for column in columns), convert=_text, refuses_mistyped=False
        )
        frame = read_records(spark=self.spark, slices=slices, read=_walk, shaping=texts, is_whole=is_whole)
        return parse_cells(frame, columns, torn=F.lit(False), whole="")


@dataclass(frozen=True, kw_only=True)
class _Share:
    """Which of the keys one executor reads; of their hashes one `field` alone, or everything."""

    place: RedisPlace
    pattern: str
    number: int
    of: int
    fetch_size: int
    field: str | None


def _walk(share: _Share) -> Iterator[Record]:
    place = share.place
    try:
        with closing(
            Redis(
                host=place.host,
                port=place.port,
                db=place.database,
                username=place.user,
                password=place.password,
                ssl=place.tls,
                socket_timeout=ANSWER_WITHIN_S,
                socket_connect_timeout=ANSWER_WITHIN_S,
            )
        ) as client:
            keys = _keys(client, share)
            while batch := list(islice(keys, share.fetch_size)):
                yield from _hashes(client, batch, share)
            return
    except RedisError as error:
        reason = type(error).__name__
    raise EtlError(f"redis: keys {share.pattern}: {reason}; see that it answers and that the login may read them")


def _keys(client: Any, share: _Share) -> Iterator[bytes]:
    """This share's keys, each once: SCAN may give a key again while Redis rearranges its table."""
    met: set[bytes] = set()
    for key in client.scan_iter(match=share.pattern, count=share.fetch_size):
        if zlib.crc32(key) % share.of == share.number and key not in met:
            met.add(key)
            yield key


def _hashes(client: Any, keys: list[bytes], share: _Share) -> Iterator[Record]:
    """The hashes behind some keys, in one round trip. A key that is gone by now is no row."""
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        if share.field is None:
            pipeline.hgetall(key)
        else:
            pipeline.hmget(key, share.field)
    for key, answer in zip(keys, pipeline.execute(raise_on_error=False), strict=True):
        if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
            kind = client.type(key).decode()
            raise SourceRefused(
                f"source refused, nothing was written: keys {share.pattern} also hold a {kind}, and only hashes are "
                "rows; narrow the pattern in source.table"
            )
        if isinstance(answer, Exception):
            raise answer
        if share.field is not None:
            yield {share.field: answer[0]}
        elif answer:
            yield {name.decode(errors="replace"): value for name, value in answer.items()}


def _text(value: bytes, _: str) -> str:
    return value.decode(errors="replace")
