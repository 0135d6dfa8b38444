"""A Lambda step: one call of a function, whose answer becomes the step's outputs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


class FunctionFailure(Exception):
    """The function failed or did not answer as its step declares; the message says which."""


def call(client: Any, *, function_arn: str, event: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, str]:
    """Call the function and wait for its answer.

    Args:
        client: Of Lambda.
        function_arn: The function.
        event: The step's arguments.
        outputs: The names that the step declares.

    Returns:
        The value of each output, as text.

    Raises:
        FunctionFailure: It raised an error, or its answer lacks an output.
    """
    answer = client.invoke(FunctionName=function_arn, Payload=json.dumps(event).encode())
    content = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        error = content if isinstance(content, dict) else {}
        kind, message = error.get("errorType", "Error"), error.get("errorMessage", content)
        raise FunctionFailure(f"{function_arn}: {kind}: {message}")
    found = content if isinstance(content, dict) else {}
    missing = [name for name in outputs if name not in found]
    if missing:
        raise FunctionFailure(f"{function_arn}: the answer has no {missing[0]!r}, which the step declares as an output")
    return {name: str(found[name]) for name in outputs}
