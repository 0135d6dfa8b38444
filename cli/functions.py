"""Calling the platform's own Lambda functions."""

import json
from typing import Any

from cli.errors import BatonError
from cli.stacks import Platform


def invoke(platform: Platform, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call a function and wait for its answer.

    Raises:
        BatonError: The function failed.
    """
    answer = platform.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    content = json.loads(answer["Payload"].read() or b"{}")
    if answer.get("FunctionError"):
        raise BatonError(f"function {function} failed: {content.get('errorMessage', content)}")
    if not isinstance(content, dict):
        raise BatonError(f"function {function} answered {content!r}, not an object")
    return content
