"""How a bad request is refused: with a 4xx and a sentence that names the field.

The AWS container serves one model with Flask, behind gunicorn, and answers 500 to every exception of a hook: there, a
refusal must be a response that the hook returns. Where it serves several it uses the model server of its toolkit, which
answers with the status of the toolkit's own errors: there, a refusal must be raised. Where neither is installed (tests,
embedded AWS) the same attributes, `status_code` and `message`, are carried by hand.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    ToolkitError = ValueError
else:
    try:
        from sagemaker_inference.errors import BaseInferenceToolkitError as ToolkitError
    except ImportError:
        ToolkitError = ValueError

_PHRASES = {400: "Bad Request", 406: "Not Acceptable", 415: "Unsupported Media Type"}
_BASES = (ToolkitError,) if issubclass(ToolkitError, ValueError) else (ToolkitError, ValueError)


class RequestError(*_BASES):  # type: ignore[misc]
    """The caller's request cannot be answered; the message says which field is wrong and how to mend it."""

    def __init__(self, message: str, *, status_code: int = 400) -> None:
        Exception.__init__(self, message)
        self.status_code = status_code
        self.message = message
        self.phrase = _PHRASES[status_code]

    def __str__(self) -> str:
        """The message alone, whatever the base class would print."""
        return self.message


def refused(error: RequestError) -> Any:
    """What a hook returns so that Flask answers with the refusal.

    Raises:
        RequestError: It is not Flask that serves.
    """
    flask: Any = sys.modules.get("flask")
    if flask is None or not flask.has_request_context():
        raise error
    return flask.Response(error.message, status=error.status_code, mimetype="text/plain")
