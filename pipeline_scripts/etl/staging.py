"""Where the output waits for its check: beside the vault, so that no reader of the curated zone can open it."""

import math
from collections.abc import Sequence

from pyspark.sql import DataFrame

from pipeline_scripts.etl.errors import RunQuarantined
from pipeline_scripts.etl.storage import Frames, Objects
from pipeline_scripts.model import Model

ROWS_PER_FILE = 250_000  # tens of megabytes of Parquet: few requests to read, enough files to write in parallel


class Staging:
    """The unpublished output of one run.

    Args:
        vault_uri: The model's prefix in the vault.
        run_id: Names this run's folder.
        model: Says which column the rows are ordered by.
        objects: To move files.
        frames: To write and read the output.
    """

    def __init__(self, *, vault_uri: str, run_id: str, model: Model, objects: Objects, frames: Frames) -> None:
        self._every_run = f"{vault_uri}/staging"
        self._run = f"{self._every_run}/{run_id}"
        self._quarantine = f"{vault_uri}/quarantine/{run_id}"
        self._run_id = run_id
        self._surrogates = [
            column.output for column in model.columns if column.treatment == "surrogate" and column.output
        ]
        self._objects = objects
        self._frames = frames

    def uri(self, part: str) -> str:
        """Where a part of the output lies."""
        return f"{self._run}/{part}"

    def clear_all(self) -> None:
        """Remove what crashed runs left; this one is the only one."""
        self._objects.delete_below(self._every_run)

    def write(self, frame: DataFrame, *, part: str, rows: int) -> DataFrame:
        """Write `frame`, of about so many rows, in an order that depends on nothing but them, and read it back.

        So a version is always compact, however many small changes it is made of.
        """
        order = [*self._surrogates, *(name for name in frame.columns if name not in self._surrogates)]
        files = max(1, math.ceil(rows / ROWS_PER_FILE))
        # By hash, not by range: Spark samples to find its ranges, so the same rows could give other files.
        spread = frame.repartition(files, *(self._surrogates or order))
        self._frames.write(spread.sortWithinPartitions(*order), self.uri(part))
        return self._frames.read(self.uri(part), schema=frame.schema)

    def quarantine(self, problems: Sequence[str]) -> RunQuarantined:
        """Lock the files and the reasons away beside the vault.

        Returns:
            What to raise.
        """
        for name in self._objects.list_names(self._run):
            self._objects.copy(f"{self._run}/{name}", f"{self._quarantine}/{name}")
        reasons = {"run_id": self._run_id, "reasons": list(problems)}
        self._objects.write_json(f"{self._quarantine}/reasons.json", reasons)
        self.clear()
        return RunQuarantined(f"run {self._run_id} quarantined, nothing was published: {' | '.join(problems)}")

    def clear(self) -> None:
        """Remove what is published, or locked away, by now."""
        self._objects.delete_below(self._run)
