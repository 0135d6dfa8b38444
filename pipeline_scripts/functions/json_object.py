"""JSON objects: read from bytes that somebody else wrote, and hashed."""

import hashlib
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


def sha256_of(content: Mapping[str, object]) -> str:
    """The hash of an object in its one spelling: keys in order, no blanks."""
    spelt = json.dumps(dict(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(spelt.encode()).hexdigest()
