"""The pointer to the data set that is published now."""

from typing import Any

from cli.errors import BatonError
from cli.stacks import Platform
from cli.storage import read_json


def current_pointer(platform: Platform) -> tuple[str, dict[str, Any]]:
    """Where the pointer lies, and what it says.

    Raises:
        BatonError: No data set was published yet.
    """
    uri = f"s3://{platform.output('data-lake', 'CuratedBucketName')}/{platform.model}/current.json"
    pointer = read_json(platform.connection, uri)
    if pointer is None:
        raise BatonError(
            f"{platform.model} has no data set yet ({uri} is missing); run: baton etl run --env {platform.environment}"
        )
    return uri, pointer
