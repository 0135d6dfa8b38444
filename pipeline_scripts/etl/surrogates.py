"""Incrementing ordinals that stand for people, and the vault that alone knows for whom.

Below its prefix a vault holds segments, Parquet files of key and ordinal, and `current.json`, which names those that
count and the next ordinal. A run that meets newcomers adds a segment and then moves the pointer, which S3 refuses if
somebody moved it meanwhile: so a crash loses nothing, and no ordinal is given twice, even by the jobs of two models
that share a vault. What no pointer names is removed once nobody can still be reading it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import reduce

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline_scripts.etl.storage import Frames, Objects, Overtaken, Pointer
from pipeline_scripts.model import Column, Model

KEY, ORDINAL, TYPED = "key", "ordinal", "typed"
SCHEMA = f"{KEY} string, {ORDINAL} bigint"
MOST_SEGMENTS = 16  # more are written anew as one
ATTEMPTS = 5  # each lost to a run that enrolled newcomers of its own
NOBODY_READS_AFTER = timedelta(days=1)  # Glue ends a run long before


def new_run_id(now: datetime) -> str:
    """A name for a run that sorts by time and that no other run has."""
    return f"{now.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def vault_uri(column: Column, *, vault: str, shared_vault: str) -> str:
    """Where the ordinals of a surrogate column lie: with its domain's, which all models share, or with its own."""
    return f"{shared_vault}/surrogates/{column.domain}" if column.domain else f"{vault}/surrogates/{column.name}"


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """Everybody's ordinal (columns `key` as text, `ordinal`); how many are new, and how many there are at most."""

    ordinals: DataFrame
    new: int
    known: int


class SurrogateVault:
    """The ordinals of one column, or of one domain of columns.

    Args:
        uri: The vault's prefix.
        run_id: Names the segments that this run writes.
        spark: The running session.
        objects: For the pointer.
        frames: For the segments.
    """

    def __init__(self, *, uri: str, run_id: str, spark: SparkSession, objects: Objects, frames: Frames) -> None:
        self._uri = uri
        self._run_id = run_id
        self._spark = spark
        self._objects = objects
        self._frames = frames
        self._pointer = f"{uri}/current.json"

    def enrol(self, keys: DataFrame) -> Enrolment:
        """Give the next ordinals to the keys not seen before, in the keys' own order.

        Args:
            keys: One column with the source's keys; NULL stands for nobody.

        Raises:
            Overtaken: Other runs changed the vault again and again.
        """
        typed = keys.toDF(TYPED).dropna().distinct().withColumn(KEY, F.col(TYPED).cast("string"))
        for _ in range(ATTEMPTS - 1):
            try:
                return self._enrol(typed)
            except Overtaken:
                continue
        return self._enrol(typed)

    def find(self, key: str) -> int | None:
        """The ordinal of a key, None where the vault does not know it."""
        found = self._known(self._objects.read_pointer(self._pointer)).where(F.col(KEY) == key).first()
        return None if found is None else int(found[ORDINAL])

    def forget(self, key: str) -> None:
        """Remove the link between a key and its ordinal, also from every old version of every object.

        Nobody gets that ordinal again. Where nothing is found, a removal that died half way is finished.

        Raises:
            Overtaken: Another run changed the vault meanwhile; nothing was removed.
        """
        pointer = self._objects.read_pointer(self._pointer)
        if pointer.content is not None and self.find(key) is not None:
            segment = f"{self._run_id}-erased"
            self._frames.write(self._known(pointer).where(F.col(KEY) != key).coalesce(1), f"{self._uri}/{segment}")
            self._move(pointer, segments=[segment], next_ordinal=pointer.content["next_ordinal"])
        current = (self._objects.read_json(self._pointer) or {"segments": []})["segments"]
        for name in self._segments_there():
            if name not in current:
                self._objects.delete_below(f"{self._uri}/{name}")
        self._objects.delete_old_versions(self._uri)

    def _enrol(self, typed: DataFrame) -> Enrolment:
        pointer = self._objects.read_pointer(self._pointer)
        known = self._known(pointer)
        fresh = typed.join(known, KEY, "left_anti").persist()
        try:
            new = fresh.count()
            given = pointer.content["next_ordinal"] - 1 if pointer.content else 0
            return Enrolment(ordinals=self._add(fresh, pointer, new) if new else known, new=new, known=given + new)
        finally:
            fresh.unpersist()

    def _known(self, pointer: Pointer) -> DataFrame:
        names = pointer.content["segments"] if pointer.content else []
        segments = [self._frames.read(f"{self._uri}/{name}", schema=SCHEMA) for name in names]
        return reduce(DataFrame.unionByName, segments) if segments else self._spark.createDataFrame([], SCHEMA)

    def _add(self, fresh: DataFrame, pointer: Pointer, new: int) -> DataFrame:
        """Number the newcomers, write them as a segment, and point to it."""
        state = pointer.content or {"segments": [], "next_ordinal": 1}
        # One ordinal after another needs one task; it sorts only the newcomers' keys.
        position = F.row_number().over(Window.orderBy(TYPED, KEY)).cast("bigint")
        numbered = fresh.select(KEY, (position + F.lit(state["next_ordinal"] - 1)).alias(ORDINAL))
        segments, name = state["segments"], f"{self._run_id}-{state['next_ordinal']}"
        if len(segments) >= MOST_SEGMENTS:
            segments, numbered = [], self._known(pointer).unionByName(numbered)
        self._frames.write(numbered.coalesce(1), f"{self._uri}/{name}")
        self._move(pointer, segments=[*segments, name], next_ordinal=state["next_ordinal"] + new)
        self._tidy()
        return self._known(self._objects.read_pointer(self._pointer))

    def _move(self, pointer: Pointer, *, segments: list[str], next_ordinal: int) -> None:
        content = {"segments": segments, "next_ordinal": next_ordinal}
        try:
            self._objects.replace_pointer(self._pointer, content, was=pointer)
        except Overtaken:
            self._objects.delete_below(f"{self._uri}/{segments[-1]}")
            raise

    def _tidy(self) -> None:
        """Remove what crashed runs and mergers of segments left, once nobody can be reading it."""
        long_ago = f"{datetime.now(timezone.utc) - NOBODY_READS_AFTER:%Y%m%dT%H%M%SZ}"
        named = (self._objects.read_json(self._pointer) or {"segments": []})["segments"]
        for name in self._segments_there():
            if name < long_ago and name not in named:
                self._objects.delete_below(f"{self._uri}/{name}")

    def _segments_there(self) -> list[str]:
        return sorted({name.split("/")[0] for name in self._objects.list_names(self._uri) if "/" in name})


def open_vaults(
    model: Model,
    *,
    vault: str,
    shared_vault: str,
    run_id: str,
    spark: SparkSession,
    objects: Objects,
    frames: Frames,
) -> dict[str, SurrogateVault]:
    """The vault of every surrogate column, by the column's name in the source."""
    return {
        column.name: SurrogateVault(
            uri=vault_uri(column, vault=vault, shared_vault=shared_vault),
            run_id=run_id,
            spark=spark,
            objects=objects,
            frames=frames,
        )
        for column in model.columns
        if column.treatment == "surrogate"
    }
