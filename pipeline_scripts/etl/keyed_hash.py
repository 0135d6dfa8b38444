"""HMAC-SHA256 in Spark's own functions: no Python on the executors, and the same answer as Python's `hmac`.

The key travels as a one-row table that is joined to the data. As a literal it would stand in every query plan, and so
in Spark's event log and UI.
"""

import hashlib

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

BLOCK_BYTES = 64  # of SHA-256
INNER, OUTER = "__hmac_inner_pad", "__hmac_outer_pad"


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """The key's inner and outer pad, as RFC 2104 defines them."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def with_key(frame: DataFrame, *, key: bytes, spark: SparkSession) -> DataFrame:
    """Put the key's pads beside every row, where `keyed_hash` finds them."""
    inner, outer = hmac_pads(key)
    pads = spark.createDataFrame([(bytearray(inner), bytearray(outer))], f"{INNER} binary, {OUTER} binary")
    return frame.crossJoin(F.broadcast(pads))


def keyed_hash(text: Column) -> Column:
    """The HMAC of `text` in UTF-8, as 64 hex digits; of NULL, NULL. The frame must have gone through `with_key`."""
    inner = F.sha2(F.concat(F.col(INNER), text.cast("binary")), 256)
    return F.sha2(F.concat(F.col(OUTER), F.unhex(inner)), 256)
