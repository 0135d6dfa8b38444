"""JSON objects: read from bytes that somebody else wrote, and written in one spelling."""

import json
from collections.abc import Mapping
from typing import Any


def json_object(content: bytes, *, where: str) -> dict[str, Any]:
    """What a file says.

    Raises:
        ValueError: It holds no JSON object; the message names `where` it lies.
    """
    try:
        value = json.loads(content)
    except ValueError as error:
        raise ValueError(f"{where} is not JSON") from error
    if not isinstance(value, dict):
        raise ValueError(f"{where} is not a JSON object")
    return value


def canonical(content: Mapping[str, str]) -> str:
    """The one spelling of an object: keys in order, no blanks. What was deployed compares with it as text."""
    return json.dumps(dict(content), sort_keys=True, separators=(",", ":"))
