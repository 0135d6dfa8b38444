"""How a bad request is refused: with a 4xx and a sentence that names the field.

The AWS container answers with the status of an error of its own toolkit, and with 500 to any other exception. Where the
toolkit is not installed (tests, embedded AWS) the same attributes, `status_code` and `message`, are carried by hand.
"""

from typing import TYPE_CHECKING

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
