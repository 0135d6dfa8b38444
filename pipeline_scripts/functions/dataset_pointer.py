"""The pointer to the data set that the last ingestion of a model has published, for whoever starts work on it."""

import json
from typing import Any


class DatasetError(Exception):
    """The pointer cannot be used; the message says why, and what to do."""


class NoDataset(DatasetError):
    """No ingestion has published a data set yet."""


def current_dataset(s3: Any, *, bucket: str, model: str, facts: tuple[str, ...]) -> dict[str, str]:
    """Those `facts` of the pointer that are asked for.

    Raises:
        NoDataset: There is no pointer.
        DatasetError: There is one that does not name them all.
    """
    key = f"{model}/current.json"
    place = f"s3://{bucket}/{key}"
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey as error:
        raise NoDataset(
            f"{place} does not exist: there is no data set yet, so run the ingestion of {model} first"
        ) from error
    try:
        pointer = json.loads(body)
        return {fact: str(pointer[fact]) for fact in facts}
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{place} names no data set ({error!r}); run the ingestion of {model} again") from error
