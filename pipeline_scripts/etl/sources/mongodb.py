"""Collections of MongoDB and DocumentDB: ranges of `_id`, one per partition."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import partial
from typing import Any

from bson import DatetimeMS, Decimal128, ObjectId
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pyspark.sql import DataFrame, SparkSession

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.places import DocumentPlace
from pipeline_scripts.etl.sources.records import Record, Shaping, read_records
from pipeline_scripts.etl.sources.source import EVERYTHING, Watermark, Window
from pipeline_scripts.etl.sources.values import Mistyped, double_of, integer_of, moment_of, text_of, unreadable
from pipeline_scripts.model import Model

ANSWER_WITHIN_MS = 30_000
BRACKETS: tuple[tuple[type, ...], ...] = ((int, float, Decimal128), (str,), (ObjectId,), (datetime,))
"""MongoDB compares values of one bracket with each other; a range never holds a value of another bracket."""


def connect(place: DocumentPlace, *, certificates: str | None = None) -> Any:
    """A client of the place. Writes are never retried, because DocumentDB refuses the option and we write nothing."""
    return MongoClient(
        host=place.host,
        port=place.port,
        username=place.user,
        password=place.password,
        tls=place.tls,
        tlsCAFile=certificates,
        retryWrites=False,
        tz_aware=True,
        datetime_conversion="DATETIME_AUTO",
        unicode_decode_error_handler="replace",
        serverSelectionTimeoutMS=ANSWER_WITHIN_MS,
        connectTimeoutMS=ANSWER_WITHIN_MS,
    )


@contextmanager
def open_client(place: DocumentPlace) -> Iterator[Any]:
    """A client for as long as it is used; the certificates it trusts are in a file meanwhile, as the driver asks."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(place.certificates or "")
        file.flush()
        client = connect(place, certificates=file.name if place.certificates else None)
        try:
            yield client
        finally:
            client.close()


@dataclass(frozen=True, kw_only=True)
class MongoSource:
    """A collection whose documents are rows and whose fields are columns; `_id` is a field as any other.

    The window is a query of the collection. A document whose watermark is absent, null or of another type is always
    read. `opened` gives a client; it travels to the executors.
    """

    spark: SparkSession
    model: Model
    place: DocumentPlace
    opened: Callable[[DocumentPlace], Any] = open_client

    def newest(self) -> Watermark | None:
        """See `Source.newest`. One document that the collection finds; an index on the watermark makes it cheap."""
        watermark = self.model.source["watermark"]
        if watermark is None:
            return None
        kept_as = _kept_as(self._declared(watermark))
        with self._collection() as collection:
            proper = {"$or": [{watermark: {"$type": kind}} for kind in kept_as]}
            found = collection.find(proper, {watermark: 1}).sort(watermark, -1).limit(1)
            values = [convert(document[watermark], self._declared(watermark)) for document in found]
        return values[0] if values else None

    def read(self, window: Window) -> DataFrame:
        """See `Source.read`."""
        source = self.model.source
        query = self._query(window)
        slices = [
            _Range(
                place=self.place,
                collection=source["table"],
                query={"$and": [query, span]},
                batch=source["fetch_size"],
            )
            for span in self._spans()
        ]
        shaping = Shaping(
            columns=self.model.columns,
            convert=convert,
            refuses_mistyped=True,
            watermark=source["watermark"],
            window=window,
        )
        return read_records(
            spark=self.spark,
            slices=slices,
            read=partial(_find, opened=self.opened),
            shaping=shaping,
            is_whole=window == EVERYTHING,
        )

    def _declared(self, name: str) -> str:
        return next(column.type for column in self.model.columns if column.name == name)

    @contextmanager
    def _collection(self) -> Iterator[Any]:
        with _answered(self.model.source["table"]), self.opened(self.place) as client:
            yield client[self.place.database][self.model.source["table"]]

    def _query(self, window: Window) -> dict[str, Any]:
        watermark = self.model.source["watermark"]
        if window == EVERYTHING or watermark is None:
            return {}
        bounds: dict[str, Any] = {}
        if window.low is not None:
            bounds["$gte"] = _midnight(window.low)
        if window.high is not None:
            is_day = isinstance(window.high, date) and not isinstance(window.high, datetime)
            bounds["$lt" if is_day else "$lte"] = _midnight(window.high, days=int(is_day))
        improper = {"$nor": [{watermark: {"$type": kind}} for kind in _kept_as(self._declared(watermark))]}
        return {"$or": [{watermark: bounds}, improper]}

    def _spans(self) -> list[dict[str, Any]]:
        """Conditions on `_id` that part the collection into pieces of about the same size.

        Found by walking the index of `_id`, so the same collection is parted alike each time. The first is what is
        not above the lowest bound: it also takes every `_id` of another bracket, which no range would hold.
        """
        partitions = self.model.source["partitions"]
        with self._collection() as collection:
            size = collection.estimated_document_count()
            steps = sorted({size * number // partitions for number in range(1, partitions)} - {0})
            bounds = [
                document["_id"]
                for step in steps
                for document in collection.find({}, {"_id": 1}).sort("_id", 1).skip(step).limit(1)
            ]
        brackets = {next((n for n, types in enumerate(BRACKETS) if isinstance(bound, types)), None) for bound in bounds}
        if len(brackets) != 1 or brackets == {None}:
            return [{}]
        ends = [*({"$lt": bound} for bound in bounds[1:]), {}]
        return [
            {"_id": {"$not": {"$gte": bounds[0]}}},
            *({"_id": {"$gte": bound, **end}} for bound, end in zip(bounds, ends, strict=True)),
        ]


@dataclass(frozen=True, kw_only=True)
class _Range:
    """One part of a collection."""

    place: DocumentPlace
    collection: str
    query: dict[str, Any]
    batch: int


def convert(value: Any, declared: str) -> Any:
    """A value of BSON at its declared type.

    Raises:
        Mistyped: The document holds another type.
        Unreadable: The number is none of the declared type.
    """
    kind = type(value)
    if declared in ("integer", "double") and isinstance(value, int | float | Decimal128) and kind is not bool:
        number = value.to_decimal() if isinstance(value, Decimal128) else value
        if declared == "double":
            return double_of(number)
        if not isinstance(value, float):
            return integer_of(number)
    if declared == "string" and isinstance(value, str | ObjectId):
        return text_of(str(value))
    if declared in ("date", "timestamp") and isinstance(value, datetime):
        moment = moment_of(value)
        return moment.date() if declared == "date" else moment
    if declared == "boolean" and kind is bool:
        return value
    if declared in ("date", "timestamp") and isinstance(value, DatetimeMS):  # beyond what Python's years can say
        unreadable(declared)
    raise Mistyped(kind.__name__)


def _find(part: _Range, *, opened: Callable[[DocumentPlace], Any]) -> Iterator[Record]:
    with _answered(part.collection), opened(part.place) as client:
        yield from client[part.place.database][part.collection].find(part.query).batch_size(part.batch)


@contextmanager
def _answered(collection: str) -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise EtlError(
            f"mongodb: collection {collection}: {type(error).__name__}; see that it answers and that the login may "
            "read it"
        ) from None


def _kept_as(declared: str) -> list[str]:
    """BSON's names for the types of a watermark."""
    return ["int", "long"] if declared == "integer" else ["date"]


def _midnight(bound: Watermark, *, days: int = 0) -> Any:
    """What a field is compared to; a date is the first moment of its day, or of one some days later."""
    if isinstance(bound, date) and not isinstance(bound, datetime):
        return datetime.combine(bound + timedelta(days=days), time(), timezone.utc)
    return bound
