"""The file that Data Wrangler keeps a flow in, as far as a pipeline must understand it to run it."""

import json
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

S3_SOURCE = "sagemaker.s3_source_0.1"
TRANSFORMING = ("SOURCE", "TRANSFORM")
OUTPUT = "default"

# A job's container finds the flow, its own configuration and its outputs under these names.
TAKEN_NAMES = ("config", "flow", "input", "output")


class FlowError(ValueError):
    """A flow cannot be run; the message says which key is at fault and how to mend it."""


class _Part(BaseModel):
    """A part of a flow. Studio writes keys that only Studio reads, so other keys are let through."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FlowInput(_Part):
    """Where a node gets a table from."""

    node_id: str
    output_name: str


class FlowOutput(_Part):
    """A table that a node gives."""

    name: str


class FlowNode(_Part):
    """One box of the drawing: a source, a transform, a picture or a destination."""

    node_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    type: str
    operator: Annotated[str, StringConstraints(min_length=1)]
    parameters: dict[str, Any]
    inputs: tuple[FlowInput, ...]
    outputs: tuple[FlowOutput, ...]


class FlowMetadata(_Part):
    """What the file says of itself."""

    version: Literal[1]


class Flow(_Part):
    """A drawing: nodes, each naming those it gets its tables from."""

    metadata: FlowMetadata
    nodes: tuple[FlowNode, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> "Flow":
        names = [node.node_id for node in self.nodes]
        for place, node in enumerate(self.nodes):
            if names.count(node.node_id) > 1:
                raise ValueError(f"nodes.{place}.node_id: two nodes are called {node.node_id}; give each its own")
            strangers = [given.node_id for given in node.inputs if given.node_id not in names]
            if strangers:
                raise ValueError(f"nodes.{place}.inputs: there is no node {strangers[0]}; draw the arrow again")
        try:
            TopologicalSorter({node.node_id: self._needs(node) for node in self.nodes}).prepare()
        except CycleError as error:
            raise ValueError(f"nodes: they wait for each other in a circle: {' → '.join(error.args[1])}") from error
        return self

    def end(self, wanted: str | None) -> FlowNode:
        """The node whose table is taken: the wanted one, or the only transform that no other transform follows.

        Raises:
            FlowError: There is no such node, or there are several to choose from, or it gives no single table.
        """
        steps = [node for node in self.nodes if node.type in TRANSFORMING]
        if wanted is None:
            followed = {name for node in steps for name in self._needs(node)}
            ends = [node for node in steps if node.node_id not in followed]
            if len(ends) != 1:
                names = ", ".join(node.node_id for node in ends) or "none"
                raise FlowError(f"nodes: the flow must have one end, it has {names}; name one in wrangler.node")
            end = ends[0]
        else:
            found = next((node for node in steps if node.node_id == wanted), None)
            if found is None:
                names = ", ".join(node.node_id for node in steps)
                raise FlowError(f"wrangler.node: no source or transform is called {wanted}; choose one of {names}")
            end = found
        if [output.name for output in end.outputs] != [OUTPUT]:
            raise FlowError(f"nodes: {end.node_id} must have one output, {OUTPUT}; name another node in wrangler.node")
        return end

    def way_to(self, end: FlowNode) -> tuple[FlowNode, ...]:
        """The nodes that `end` needs, itself included, in the file's order."""
        needed, pending = {end.node_id}, [end]
        while pending:
            names = self._needs(pending.pop()) - needed
            needed |= names
            pending += [node for node in self.nodes if node.node_id in names]
        return tuple(node for node in self.nodes if node.node_id in needed)

    @staticmethod
    def _needs(node: FlowNode) -> set[str]:
        return {given.node_id for given in node.inputs}


def dataset_name(way: tuple[FlowNode, ...]) -> str:
    """What the one source calls its data set, which is where a job's container looks for it.

    Raises:
        FlowError: There is not one source, or it does not read Parquet from S3.
    """
    sources = [node for node in way if not node.inputs]
    if len(sources) != 1 or sources[0].operator != S3_SOURCE:
        found = ", ".join(f"{node.node_id} ({node.operator})" for node in sources)
        raise FlowError(f"nodes: the flow must start from one {S3_SOURCE}, the model's data set, not from {found}")
    source = sources[0]
    definition = source.parameters.get("dataset_definition")
    context = definition.get("s3ExecutionContext") if isinstance(definition, dict) else None
    if not isinstance(definition, dict) or not isinstance(context, dict):
        raise FlowError(f"nodes: {source.node_id} has no dataset_definition with an s3ExecutionContext")
    if str(context.get("s3ContentType")).lower() != "parquet":
        raise FlowError(
            f"nodes: {source.node_id} reads {context.get('s3ContentType')} (s3ContentType), but data sets are Parquet; "
            "import the data set's Parquet files in Studio"
        )
    name = str(definition.get("name"))
    if not name.replace("_", "").replace("-", "").replace(".", "").isalnum() or name in TAKEN_NAMES or len(name) > 64:
        raise FlowError(
            f"nodes: {source.node_id} calls its data set {name!r} (dataset_definition.name); "
            f"use letters, digits, dots, hyphens and underscores, and none of {', '.join(TAKEN_NAMES)}"
        )
    return name


def read_flow(path: Path) -> Flow:
    """Read and check a flow.

    Raises:
        FlowError: The file cannot be read, is not JSON, or is not the drawing of a flow.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FlowError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FlowError(f"is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise FlowError(f"must hold metadata and nodes, got {type(content).__name__}")
    try:
        return Flow.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        if problem["type"] == "value_error":
            raise FlowError(str(problem["ctx"]["error"])) from error
        if problem["type"] == "missing":
            raise FlowError(f"{key}: is missing; export the flow from Studio again") from error
        raise FlowError(f"{key}: {problem['msg'].lower()}") from error
