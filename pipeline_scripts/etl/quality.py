"""What rows and data sets must be like to be published."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.model import Model

REASON = "__reason"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the rules found, and why the run stops, if it does."""

    results: list[dict[str, Any]] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)


def with_reasons(frame: DataFrame, model: Model) -> DataFrame:
    """The frame with a column that says which rule a row breaks."""
    return frame.withColumn(REASON, F.lit(None).cast("string"))


def judge(
    *,
    accepted: DataFrame,
    rejected_by_reason: dict[str, int],
    rows: int,
    previous_rows: int | None,
    now: datetime,
    model: Model,
) -> Verdict:
    """What the rules say of a data set."""
    return Verdict()
