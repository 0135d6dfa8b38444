"""Tells the rows that keep the model's rules from those that do not."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.quality import REASON, with_reasons
from pipeline_scripts.model import Model


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Rows on their way to the curated zone. `counts` says how many were rejected for each reason."""

    accepted: DataFrame
    rejected: DataFrame
    counts: dict[str, int]

    @property
    def rejections(self) -> int:
        """How many rows were rejected."""
        return sum(self.counts.values())


def split(frame: DataFrame, *, model: Model) -> Judged:
    """Split `frame` by the rules of single rows; the rejected keep their reason in a column of its own."""
    columns = frame.columns
    reasoned = with_reasons(frame, model)
    counts: dict[str, int] = {}
    if model.settings["quality"]["rules"]:
        broken = reasoned.where(F.col(REASON).isNotNull())
        counts = {row[REASON]: row["count"] for row in broken.groupBy(REASON).count().collect()}
    return Judged(
        accepted=reasoned.where(F.col(REASON).isNull()).select(columns),
        rejected=reasoned.where(F.col(REASON).isNotNull()),
        counts=counts,
    )
