"""The published versions of a dataset: which is current, what its rows are, and what a new one may change."""

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from pipeline_scripts.etl.errors import EtlError, SourceRefused
from pipeline_scripts.etl.schema import SPARK_TYPES
from pipeline_scripts.etl.storage import Frames, Objects, Pointer
from pipeline_scripts.model import Model

MANIFEST = "_manifest.json"  # Athena and Spark take no file whose name begins so for data


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is current. `pointer` is how it was read, so that a run sees whether it still is when it publishes."""

    pointer: Pointer
    manifest: dict[str, Any] | None

    @property
    def rows(self) -> int | None:
        """How many rows there are, None where nothing is published."""
        return None if self.manifest is None else int(self.manifest["rows"])

    @property
    def read_in_full_at(self) -> str:
        """When all its rows were last read from the source; empty where nothing is published."""
        return "" if self.manifest is None else str(self.manifest["read_in_full_at"])


def output_columns(model: Model) -> list[dict[str, str]]:
    """Name and type of every curated column, in order."""
    return [
        {"name": column.output, "type": column.curated_type} for column in model.columns if column.output is not None
    ]


def current_version(objects: Objects, curated_uri: str) -> Published:
    """The current version.

    Raises:
        EtlError: The pointer names a version whose manifest is gone.
    """
    pointer = objects.read_pointer(f"{curated_uri}/current.json")
    if pointer.content is None:
        return Published(pointer=pointer, manifest=None)
    manifest = objects.read_json(pointer.content["manifest_uri"])
    if manifest is None:
        raise EtlError(f"{pointer.content['manifest_uri']}: the current version's manifest is gone; restore it")
    return Published(pointer=pointer, manifest=manifest)


def read_version(manifest: dict[str, Any], frames: Frames) -> DataFrame:
    """The rows of a version."""
    schema = ", ".join(f"`{column['name']}` {SPARK_TYPES[column['type']]}" for column in manifest["columns"])
    return frames.read(str(manifest["dataset_uri"]).rstrip("/"), schema=schema)


def check_evolution(model: Model, published: Published) -> None:
    """Let a new version add columns; refuse one that takes or changes what readers of the last one rely on.

    Raises:
        SourceRefused: A column is gone or of another type, and the model's `dataset.version` is the same.
    """
    manifest = published.manifest
    if manifest is None or model.settings["dataset"]["version"] > manifest["dataset_version"]:
        return
    if model.settings["dataset"]["version"] < manifest["dataset_version"]:
        raise SourceRefused(
            f"dataset refused, nothing was written: version {manifest['dataset_version']} is published and the model "
            f"says {model.settings['dataset']['version']}; deploy the newer model"
        )
    kinds = {column["name"]: column["type"] for column in output_columns(model)}
    problems = [
        f"{column['name']}: would {'be gone' if new is None else f'become {new}'}, and is published as {column['type']}"
        for column in manifest["columns"]
        if (new := kinds.get(column["name"])) != column["type"]
    ]
    if problems:
        raise SourceRefused(
            f"dataset refused, nothing was written: {' | '.join(problems)}; put it back, or say that readers are ready "
            f"for the change with dataset: {{version: {manifest['dataset_version'] + 1}}} in the model"
        )
