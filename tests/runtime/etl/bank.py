"""A table whose rows change between runs, as its owner's transactions change it; and a machine that is gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3

from tests.runtime.etl.workbench import Job, Row, model_of, published

DDL = 'ID BIGINT, "NAME" VARCHAR(20), SCORE INT, CHANGED TIMESTAMP'
COLUMNS: dict[str, dict[str, Any]] = {
    "ID": {"type": "integer", "treatment": "surrogate", "output": "ref"},
    "NAME": {"type": "string", "treatment": "drop"},
    "SCORE": {"type": "integer", "treatment": "keep", "output": "score"},
    "CHANGED": {"type": "timestamp", "treatment": "drop"},
}
NOON = datetime(2026, 1, 15, 12)
OVERLAP = 10


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Crashing:
    """An S3 client whose machine is gone at the nth change it is asked for; 0 only counts them."""

    CHANGES = ("put_object", "copy_object", "delete_objects", "delete_object")

    def __init__(self, client: Any, *, at: int) -> None:
        self._client = client
        self._left = at
        self.changes = 0

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)
        return self._counted(operation) if name in self.CHANGES else operation

    def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.changes += 1
            if self.changes == self._left:
                raise ConnectionError("the machine is gone")
            return operation(**arguments)

        return call


class Bank:
    """The table, and the job that reads what changed in it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.rows: dict[int, Row] = {}
        job.model = model_of(COLUMNS, watermark="CHANGED", overlap=OVERLAP, full_refresh_days=366)

    def put(self, key: int, score: int, changed: datetime | None) -> None:
        self.rows[key] = (key, f"Person {key}", score, changed)

    def run(self, **changed: Any) -> dict[str, Any]:
        self.job.database.fill(list(self.rows.values()), DDL)
        return self.job.run(**changed)

    def crash(self, *, change: int, **changed: Any) -> bool:
        """Run on a machine that is gone at a change; whether it came so far."""
        client = Crashing(boto3.client("s3"), at=change)
        try:
            self.run(clients=replace(self.job.clients, s3=client), **changed)
        except ConnectionError:
            return True
        return False

    def published(self) -> list[int]:
        return sorted(row["score"] for row in published(self.job))

    def truth(self) -> list[int]:
        """The scores of the table."""
        return sorted(row[2] for row in self.rows.values())
