"""Where a model's rows come from, and how often."""

from typing import Literal

from pydantic import Field, model_validator

from baton.specification.base import ColumnName, Schedule, Specification

LAST_MODIFIED = "last_modified"
"""The watermark of files: when each was last written."""


class Source(Specification):
    """Where the rows come from: a named connection, and what to read behind it.

    `table` is a table of a relational database or of DynamoDB, a collection of MongoDB, a pattern of Redis keys, or a
    prefix of S3; `query` is one SELECT instead. `partitions` parallel reads split it; `fetch_size` is rows (files'
    records, keys) per round trip.

    With a `watermark`, a column that grows whenever a row changes, a run reads only what changed since the last one:
    from `overlap` before the last watermark on (minutes of a timestamp or a file's modification, days of a date,
    counts of a number), because a transaction may commit after a later one was read. Deleted rows show no watermark,
    and people grow older without one: every `full_refresh_days` a run reads everything.
    """

    connection: str
    table: str | None = None
    query: str | None = None
    format: Literal["csv", "json", "parquet"] | None = None
    key: ColumnName
    watermark: ColumnName | None = None
    overlap: int = Field(default=60, ge=0, le=1_000_000)
    full_refresh_days: int = Field(default=7, ge=1, le=366)
    partitions: int = Field(default=2, ge=1, le=64)
    fetch_size: int = Field(default=10_000, ge=1, le=100_000)
    schedule: Schedule

    @model_validator(mode="after")
    def _reads_one_thing(self) -> "Source":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query, not both and not neither")
        if (self.watermark == LAST_MODIFIED) and self.format is None:
            raise ValueError(f"watermark {LAST_MODIFIED} is the files' own, and without a format these are no files")
        return self

    @property
    def label(self) -> str:
        """What is read, in a few words: the connection and the table behind it."""
        return f"{self.connection}/{self.table or 'query'}"


class Automation(Specification):
    """What starts an ingestion besides its schedule, what follows it, and when its absence is an alarm.

    `start_on_event`: also when somebody announces new rows. `train_on_new_data`: a changed data set starts a training,
    within the brake of `retraining`. `late_after_hours`: without a new version for so long, people are told.
    """

    start_on_event: bool = False
    train_on_new_data: bool = True
    late_after_hours: int = Field(default=26, ge=1, le=168)


class Dataset(Specification):
    """The published data set's form. A breaking change of its columns is refused until `version` is raised."""

    version: int = Field(default=1, ge=1)
