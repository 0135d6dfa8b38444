"""One transform of a flow at a time, as the flow's JSON has it."""

import hashlib
import json
import math
from typing import Any

from pyspark.sql import DataFrame

from embedded.wrangler.drawing import Drawing


def node(name: str, operator: str, parameters: dict[str, Any], *given: str, **more: Any) -> dict[str, Any]:
    inputs = [{"name": "df", "node_id": source, "output_name": "default"} for source in given]
    return {"node_id": name, "operator": operator, "parameters": parameters, "inputs": inputs, **more}


def run(table: DataFrame, operator: str, parameters: dict[str, Any], **more: Any) -> DataFrame:
    source = node("s", "sagemaker.s3_source_0.1", {"dataset_definition": {}})
    drawn = Drawing.of({"nodes": [source, node("n", f"sagemaker.spark.{operator}_0.1", parameters, "s", **more)]})
    return drawn.table("n", lambda _: table)


def choose(
    table: DataFrame, operator: str, choice: str, key: str, parameters: dict[str, Any], **more: Any
) -> DataFrame:
    return run(table, operator, {"operator": choice, f"{key}_parameters": parameters}, **more)


def values(table: DataFrame, name: str) -> list[Any]:
    found = [row[name] for row in table.select(f"`{name}`").collect()]
    return ["NaN" if isinstance(value, float) and math.isnan(value) else value for value in found]


def ids(table: DataFrame) -> list[int]:
    return sorted(row["id"] for row in table.collect())


def learnt(parameters: dict[str, Any], **found: Any) -> dict[str, Any]:
    """As Studio keeps what an operator learnt: with a hash of the parameters that it learnt it with."""
    written = json.dumps(parameters, sort_keys=True).encode()
    return {"_hash": hashlib.sha1(written, usedforsecurity=False).hexdigest(), **found}
