"""A hash of what a dataset says, whatever its files look like.

The bytes of a Parquet file will not do: the writer lists a column's encodings in an order that changes from one JVM to
the next, so the same rows give other bytes.
"""

import hashlib
import json
from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

GROUP_DIGITS = 3  # 4,096 groups of row digests: a hash of each is little to collect, and none is large to sort


def content_hash(frame: DataFrame, *, columns: Sequence[dict[str, str]]) -> str:
    """SHA-256 over the columns and all rows, each as often as it is there, in no order."""
    row = F.to_json(F.struct(*(column["name"] for column in columns)), {"ignoreNullFields": "false"})
    digests = frame.select(F.sha2(row, 256).alias("digest"))
    group = F.sha2(F.concat_ws("", F.sort_array(F.collect_list("digest"))), 256)
    groups = digests.groupBy(F.substring("digest", 1, GROUP_DIGITS).alias("group")).agg(group.alias("digest")).collect()
    content = {"columns": list(columns), "groups": sorted([row["group"], row["digest"]] for row in groups)}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
