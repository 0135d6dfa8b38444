"""Incrementing ordinals that stand for people, and the vault that alone knows for whom.

Under `surrogates/<column>/` the vault holds one snapshot of key and ordinal, and `current.json`, which names it and the
next ordinal. A new snapshot lies in a prefix of its own until the pointer moves, so a crash loses nothing and an
ordinal is never given twice. The job runs once at a time; a pointer that moved meanwhile stops the run all the same.
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.storage import Frames, Objects

KEY, ORDINAL, TYPED = "key", "ordinal", "typed"
SCHEMA = f"{KEY} string, {ORDINAL} bigint"


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """Everybody's ordinal (columns `key` as text, `ordinal`), and how many of them are new."""

    ordinals: DataFrame
    new: int


class SurrogateVault:
    """The ordinals of one column.

    Args:
        uri: The column's prefix in the vault.
        run_id: Names the snapshot that this run may write.
        spark: The running session.
        objects: For the pointer.
        frames: For the snapshots.
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
            EtlError: Another run changed the vault meanwhile.
        """
        state = self._objects.read_json(self._pointer)
        known = self._snapshot(state["snapshot"]) if state else self._spark.createDataFrame([], SCHEMA)
        typed = keys.toDF(TYPED).dropna().distinct().withColumn(KEY, F.col(TYPED).cast("string"))
        fresh = typed.join(known, KEY, "left_anti").persist()
        new = fresh.count()
        if new:
            following = state["next_ordinal"] if state else 1
            # One ordinal after another needs one task; it sorts only the newcomers' keys.
            position = F.row_number().over(Window.orderBy(TYPED, KEY)).cast("bigint")
            numbered = fresh.select(KEY, (position + F.lit(following - 1)).alias(ORDINAL))
            self._frames.write(known.unionByName(numbered).coalesce(1), f"{self._uri}/{self._run_id}")
            self._move_pointer(was=state, next_ordinal=following + new)
            known = self._snapshot(self._run_id)
        fresh.unpersist()
        return Enrolment(ordinals=known, new=new)

    def _snapshot(self, name: str) -> DataFrame:
        return self._frames.read(f"{self._uri}/{name}", schema=SCHEMA)

    def _move_pointer(self, *, was: dict[str, object] | None, next_ordinal: int) -> None:
        if self._objects.read_json(self._pointer) != was:
            raise EtlError(f"{self._pointer}: another run changed the vault meanwhile; run the job again, alone")
        self._objects.write_json(self._pointer, {"snapshot": self._run_id, "next_ordinal": next_ordinal})
        superseded = {name.split("/")[0] for name in self._objects.list_names(self._uri) if "/" in name}
        for snapshot in sorted(superseded - {self._run_id}):
            self._objects.delete_below(f"{self._uri}/{snapshot}")
