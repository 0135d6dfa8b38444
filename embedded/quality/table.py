"""A table of the catalogue as DuckDB reads it: the Parquet files that it stands for at this moment."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from embedded.quality.dqdl import DqdlError

ClientFactory = Callable[[str], Any]
Record = Mapping[str, Any]
TYPES = {
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",
}


def open_table(source: Record, *, client: ClientFactory, folder: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB whose view `primary` is the table.

    A list of files (`SymlinkTextInputFormat`) is followed; a partitioned table is its registered partitions, of those
    that `pushDownPredicate` leaves.

    Args:
        source: `DatabaseName`, `TableName` and, where given, `AdditionalOptions`.
        client: Makes clients for the front door.
        folder: Where its files may lie meanwhile.
    """
    named = {"DatabaseName": source["DatabaseName"]}
    table = client("glue").get_table(Name=source["TableName"], **named)["Table"]
    connection = duckdb.connect()
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    descriptor = table["StorageDescriptor"]
    if keys:
        pages = client("glue").get_partitions(TableName=source["TableName"], **named)["Partitions"]
        predicate = source.get("AdditionalOptions", {}).get("pushDownPredicate", "true")
        places = [p["StorageDescriptor"]["Location"] for p in _left(connection, keys, pages, predicate)]
        uris = [uri for place in places for uri in _listed(client, place)]
    elif descriptor["InputFormat"].endswith("SymlinkTextInputFormat"):
        lists = [_read(client, uri).decode() for uri in _listed(client, descriptor["Location"])]
        uris = [line for text in lists for line in text.splitlines() if line]
    else:
        uris = list(_listed(client, descriptor["Location"]))
    files = list(_fetched(client, uris, folder))
    if files:
        connection.read_parquet(files, union_by_name=True).create_view("primary")
    else:
        columns = ", ".join(f'"{column["Name"]}" {TYPES[column["Type"]]}' for column in descriptor["Columns"])
        connection.execute(f'CREATE TABLE "primary" ({columns})')
    return connection


def _left(
    connection: duckdb.DuckDBPyConnection, keys: list[str], partitions: list[Record], predicate: str
) -> Iterator[Record]:
    """The partitions that a predicate of Spark's leaves; Spark takes text in either quotes."""
    condition = predicate.replace('"', "'")
    row = ", ".join(f'? AS "{key}"' for key in keys)
    for partition in partitions:
        query = f"SELECT count(*) FROM (SELECT {row}) WHERE {condition}"
        try:
            [found] = connection.execute(query, list(partition["Values"])).fetchall()
        except duckdb.Error as error:
            raise DqdlError(f"pushDownPredicate {predicate!r} cannot be read: {error}") from error
        if found[0]:
            yield partition


def _listed(client: ClientFactory, place: str) -> Iterator[str]:
    """The files in a place, without those that Spark passes over."""
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if not item["Key"].rpartition("/")[2].startswith(("_", ".")):
                yield f"s3://{bucket}/{item['Key']}"


def _fetched(client: ClientFactory, uris: list[str], folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, uri in enumerate(uris):
        path = folder / f"{number}.parquet"
        path.write_bytes(_read(client, uri))
        yield str(path)


def _read(client: ClientFactory, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bytes(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
