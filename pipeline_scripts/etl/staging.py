"""Where the output waits for its check: beside the vault, so that no reader of the curated zone can open it."""

import math

from pyspark.sql import DataFrame

from pipeline_scripts.etl.errors import RunQuarantined
from pipeline_scripts.etl.leaks import find_leaks, find_patterns
from pipeline_scripts.etl.storage import Frames, Objects
from pipeline_scripts.model import Model

ROWS_PER_FILE = 250_000  # tens of megabytes of Parquet: few requests to read, enough files to write in parallel


class Staging:
    """The unpublished output of one run.

    Args:
        vault_uri: The model's prefix in the vault.
        run_id: Names this run's folder.
        model: Says which columns are personal.
        objects: To move files.
        frames: To write and read the output.
    """

    def __init__(self, *, vault_uri: str, run_id: str, model: Model, objects: Objects, frames: Frames) -> None:
        self.uri = f"{vault_uri}/staging/{run_id}"
        self._every_run = f"{vault_uri}/staging"
        self._quarantine = f"{vault_uri}/quarantine/{run_id}"
        self._run_id = run_id
        self._model = model
        self._objects = objects
        self._frames = frames

    def write(self, frame: DataFrame, *, rows: int) -> DataFrame:
        """Write `frame` in an order that depends on nothing but its rows, and read it back."""
        self._objects.delete_below(self._every_run)  # what a crashed run left
        surrogates = [
            column.output for column in self._model.columns if column.treatment == "surrogate" and column.output
        ]
        order = [*surrogates, *(name for name in frame.columns if name not in surrogates)]
        files = math.ceil(rows / ROWS_PER_FILE)
        # By hash, not by range: Spark samples to find its ranges, so the same rows could give other files.
        spread = frame.repartition(files, *(surrogates or order))
        self._frames.write(spread.sortWithinPartitions(*order), self.uri)
        return self._frames.read(self.uri, schema=frame.schema)

    def check(self, *, staged: DataFrame, source: DataFrame, rows: int, written: int) -> None:
        """See that all `rows` of the source were `written`, and nothing that is or looks like a personal value.

        Raises:
            RunQuarantined: Otherwise. The files move to `quarantine/` beside the vault, with the reasons.
        """
        problems = find_leaks(source=source, output=staged, model=self._model)
        problems += find_patterns(output=staged, model=self._model)
        if written != rows:
            problems.append(f"rows: {rows} were read and {written} written; run the job again")
        if problems:
            self._lock_away(problems)
            raise RunQuarantined(f"run {self._run_id} quarantined, nothing was published: {' | '.join(problems)}")

    def clear(self) -> None:
        """Remove what is published by now."""
        self._objects.delete_below(self.uri)

    def _lock_away(self, problems: list[str]) -> None:
        for name in self._objects.list_names(self.uri):
            self._objects.copy(f"{self.uri}/{name}", f"{self._quarantine}/{name}")
        self._objects.write_json(f"{self._quarantine}/reasons.json", {"run_id": self._run_id, "reasons": problems})
        self.clear()
