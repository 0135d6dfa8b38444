"""A JSON object out of bytes that somebody else wrote."""

import json
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
