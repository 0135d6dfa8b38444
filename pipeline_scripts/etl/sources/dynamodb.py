"""Tables of DynamoDB: a parallel scan, a segment of it per partition."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pyspark.sql import DataFrame, SparkSession

from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.access import AwsAccess
from pipeline_scripts.etl.sources.places import DynamoPlace
from pipeline_scripts.etl.sources.records import Record, Shaping, newest_of, read_records
from pipeline_scripts.etl.sources.source import EVERYTHING, Watermark, Window
from pipeline_scripts.etl.sources.values import Mistyped, date_of, double_of, integer_of, text_of, timestamp_of
from pipeline_scripts.model import Model

# DynamoDB's letter for the type in which it keeps each of ours, and its letters in words.
KEPT_AS = {"integer": "N", "double": "N", "string": "S", "date": "S", "timestamp": "S", "boolean": "BOOL"}
KINDS = {
    "S": "a string", "N": "a number", "B": "bytes", "BOOL": "a boolean", "M": "a map", "L": "a list",
    "SS": "a set of strings", "NS": "a set of numbers", "BS": "a set of bytes",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DynamoSource:
    """A table whose items are rows and whose attributes are columns; dates and timestamps are texts of ISO 8601.

    The window is asked of the table, so that what lies outside does not travel (DynamoDB reads, and bills, all of it).
    A number is compared as a number, a date as its text. The texts of timestamps do not sort by time where zones and
    fractions differ, so the table is asked for a day more at either end, and the moments are compared here. Items
    whose watermark is absent, NULL or not of its form are always read.
    """

    spark: SparkSession
    model: Model
    place: DynamoPlace

    def newest(self) -> Watermark | None:
        """See `Source.newest`. One scan that returns nothing but the watermark."""
        watermark = self.model.source["watermark"]
        if watermark is None:
            return None
        projection = {"ProjectionExpression": "#watermark", "ExpressionAttributeNames": {"#watermark": watermark}}
        slices = self._segments(projection)
        return newest_of(spark=self.spark, slices=slices, read=_scan, shaping=self._shaping(EVERYTHING))

    def read(self, window: Window) -> DataFrame:
        """See `Source.read`. Strongly consistent: every write that was answered before is read."""
        return read_records(
            spark=self.spark,
            slices=self._segments(self._filter(window)),
            read=_scan,
            shaping=self._shaping(window),
            is_whole=window == EVERYTHING,
        )

    def _segments(self, expressions: dict[str, Any]) -> list["_Segment"]:
        source = self.model.source
        access = AwsAccess(region=self.place.region, endpoint_url=self.place.endpoint_url, role_arn=self.place.role_arn)
        return [
            _Segment(
                access=access,
                table=source["table"],
                number=number,
                of=source["partitions"],
                limit=source["fetch_size"],
                expressions=expressions,
            )
            for number in range(source["partitions"])
        ]

    def _shaping(self, window: Window) -> Shaping:
        return Shaping(
            columns=self.model.columns,
            convert=convert,
            refuses_mistyped=True,
            watermark=self.model.source["watermark"],
            window=window,
        )

    def _filter(self, window: Window) -> dict[str, Any]:
        """The window as a filter that lets through at least what lies inside, and what has no proper watermark."""
        watermark = self.model.source["watermark"]
        if window == EVERYTHING or watermark is None:
            return {}
        bounds = {":low": _bound(window.low, days=-1), ":high": _bound(window.high, days=1)}
        values = {name: bound for name, bound in bounds.items() if bound is not None}
        signs = {":low": ">=", ":high": "<="}
        inside = " AND ".join(f"#watermark {signs[name]} {name}" for name in values)
        improper = ["attribute_not_exists(#watermark)", "NOT attribute_type(#watermark, :kind)"]
        kind = KEPT_AS[next(column.type for column in self.model.columns if column.name == watermark)]
        values[":kind"] = {"S": kind}
        if kind == "S":  # no date begins like this
            improper += ["#watermark < :zero", "#watermark >= :nine"]
            values |= {":zero": {"S": "0"}, ":nine": {"S": ":"}}
        return {
            "FilterExpression": " OR ".join([f"({inside})", *improper]),
            "ExpressionAttributeNames": {"#watermark": watermark},
            "ExpressionAttributeValues": values,
        }


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """One part of a parallel scan."""

    access: AwsAccess
    table: str
    number: int
    of: int
    limit: int
    expressions: dict[str, Any] = field(default_factory=dict)


def convert(value: dict[str, Any], declared: str) -> Any:
    """An attribute as boto3's client gives it, `{"N": "42"}`, at its declared type.

    Raises:
        Mistyped: DynamoDB keeps it as another type.
        Unreadable: The number or the text is none of the declared type.
    """
    ((letter, content),) = value.items()
    if letter == "NULL":
        return None
    if letter != KEPT_AS[declared]:
        raise Mistyped(KINDS.get(letter, "an unknown type"))
    if letter == "BOOL":
        return content
    if letter == "N":
        return integer_of(Decimal(content)) if declared == "integer" else double_of(Decimal(content))
    return {"string": text_of, "date": date_of, "timestamp": timestamp_of}[declared](content)


def _scan(segment: _Segment) -> Iterator[Record]:
    """The items of one segment, a page of at most `limit` (and 1 MB) after the other."""
    request = {
        "TableName": segment.table,
        "Segment": segment.number,
        "TotalSegments": segment.of,
        "Limit": segment.limit,
        "ConsistentRead": True,
        **segment.expressions,
    }
    try:
        client = segment.access.client("dynamodb")
        while True:
            page = client.scan(**request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    except ClientError as error:
        reason = error.response["Error"]["Code"]
    except BotoCoreError as error:
        reason = type(error).__name__
    raise EtlError(f"dynamodb: table {segment.table}: {reason}; see that it exists and that this role may scan it")


def _bound(bound: Watermark | None, *, days: int) -> dict[str, str] | None:
    """What an attribute is compared to; of a timestamp the date, some days off."""
    if bound is None:
        return None
    if isinstance(bound, datetime):
        bound = bound.date() + timedelta(days=days)
        return {"S": f"{bound.isoformat()}~" if days > 0 else bound.isoformat()}
    return {"S": bound.isoformat()} if isinstance(bound, date) else {"N": str(bound)}
