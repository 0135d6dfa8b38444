"""A flow's drawing: which nodes a table comes from, and the table itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pyspark.errors import AnalysisException, IllegalArgumentException, ParseException
from pyspark.sql import DataFrame

from embedded.wrangler.choices import OperatorFailed, OperatorRefused
from embedded.wrangler.registry import OPERATORS, S3_SOURCE


class FlowRefused(Exception):
    """The flow cannot be run here; the message names the node and what of it is not known or wrong."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """The nodes of a flow, by id."""

    nodes: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Drawing":
        """The drawing in a flow file's content."""
        return cls(nodes={node["node_id"]: node for node in content["nodes"]})

    def way_to(self, end: str) -> list[Mapping[str, Any]]:
        """The nodes that one needs, itself last.

        Raises:
            FlowRefused: There is no such node, or one of them has an operator that is not run here.
        """
        if end not in self.nodes:
            raise FlowRefused(f"the flow has no node {end}")
        graph: dict[str, set[str]] = {}
        pending = [end]
        while pending:
            name = pending.pop()
            graph[name] = {given["node_id"] for given in self.nodes[name]["inputs"]}
            pending += graph[name] - graph.keys()
        way = [self.nodes[name] for name in TopologicalSorter(graph).static_order()]
        for node in way:
            if node["operator"] != S3_SOURCE and node["operator"] not in OPERATORS:
                raise FlowRefused(f"{_place(node)} is not run by embedded AWS; docs/data-wrangler.md lists what is")
        return way

    def table(self, end: str, read: Callable[[Mapping[str, Any]], DataFrame]) -> DataFrame:
        """What a node gives; `read` gives the table of a source.

        Raises:
            FlowRefused: A node's parameters ask for what is not run here, or for what cannot be.
        """
        tables: dict[str, DataFrame] = {}
        for node in self.way_to(end):
            try:
                tables[node["node_id"]] = self._run(node, tables, read)
            except OperatorRefused as error:
                raise FlowRefused(f"{_place(node)}: {error} is not run by embedded AWS") from error
            except OperatorFailed as error:
                raise FlowRefused(f"{_place(node)}: {error}") from error
            except (AnalysisException, IllegalArgumentException, ParseException) as error:
                raise FlowRefused(f"{_place(node)}: {str(error).strip().splitlines()[0]}") from error
        return tables[end]

    @staticmethod
    def _run(
        node: Mapping[str, Any], tables: Mapping[str, DataFrame], read: Callable[[Mapping[str, Any]], DataFrame]
    ) -> DataFrame:
        if node["operator"] == S3_SOURCE:
            return read(node["parameters"]["dataset_definition"])
        if len(node["inputs"]) != 1:
            raise OperatorRefused(f"an operator with {len(node['inputs'])} inputs")
        table = tables[node["inputs"][0]["node_id"]]
        return OPERATORS[node["operator"]].run(table, node["parameters"], node.get("trained_parameters"))


def read_source(definition: Mapping[str, Any], folder: Path, spark: Any) -> DataFrame:
    """The data set that lies under the name of a flow's source.

    Raises:
        OperatorFailed: Nothing lies there.
        OperatorRefused: It is of another form than CSV or Parquet.
    """
    place, context = folder / str(definition["name"]), definition["s3ExecutionContext"]
    kind = str(context["s3ContentType"]).lower()
    if kind not in ("csv", "parquet"):
        raise OperatorRefused(f"s3ContentType {context['s3ContentType']!r}")
    files = sorted(str(path) for path in place.rglob(f"*.{kind}"))
    if not files:
        raise OperatorFailed(f"/opt/ml/processing/{definition['name']} holds no {kind} file")
    if kind == "parquet":
        table: DataFrame = spark.read.parquet(*files)
        return table
    header, separator = bool(context.get("s3HasHeader")), context.get("s3FieldDelimiter") or ","
    rows: DataFrame = spark.read.csv(files, header=header, sep=separator, quote='"', escape='"', mode="PERMISSIVE")
    return rows


def _place(node: Mapping[str, Any]) -> str:
    return f"node {node['node_id']}: operator {node['operator']}"
