"""Joins the rows that changed with those that are published, by the key that both have."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.errors import SourceRefused
from pipeline_scripts.model import Model


def merge_key(model: Model) -> str:
    """The curated column that the source's key became.

    Raises:
        SourceRefused: The key is not published, so what changed cannot be matched.
    """
    column = next(column for column in model.columns if column.name == model.key)
    if column.output is None or column.treatment == "generalise":
        raise SourceRefused(
            f"source refused, nothing was written: {model.key} is not published, so nothing can be merged"
        )
    return column.output


def merged(*, published: DataFrame, changed: DataFrame, seen: DataFrame, key: str) -> DataFrame:
    """The published rows that were not seen again, and the changed ones.

    Args:
        published: The current version.
        changed: The rows to publish.
        seen: The keys that were read, also of rows that were rejected: what was published of them is out of date.
        key: The column that both share.
    """
    kept = published.join(seen.select(key).distinct(), key, "left_anti")
    return kept.select(changed.columns).unionByName(changed)


def refuse_repeated_keys(frame: DataFrame, model: Model) -> None:
    """See that each key stands in one row, or an update could not tell which row it replaces.

    Raises:
        SourceRefused: A key stands in several.
    """
    repeated = frame.groupBy(model.key).count().where(F.col("count") > 1).count()
    if repeated:
        raise SourceRefused(
            f"source refused, nothing was written: {model.key}: {repeated} key(s) stand in more than one row; with a "
            "watermark each row needs a key of its own: name one, or remove source.watermark"
        )
