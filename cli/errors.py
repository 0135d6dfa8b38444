"""What went wrong, as one sentence a person can act on."""

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AccessDeniedFault"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}


class BatonError(Exception):
    """The command cannot do what was asked; the message says what, where and how to mend it."""


def refused(error: ClientError) -> bool:
    """Whether AWS answered that the caller may not do this."""
    return error.response.get("Error", {}).get("Code", "") in REFUSED


def sentence(error: Exception) -> str:
    """One clear sentence for an error of ours or of the AWS SDK."""
    if isinstance(error, NoCredentialsError):
        return "AWS credentials are missing; set AWS_PROFILE, or use --embedded while embedded AWS runs"
    if isinstance(error, NoRegionError):
        return "the AWS region is not known; set AWS_REGION"
    if isinstance(error, EndpointConnectionError):
        where = error.kwargs.get("endpoint_url")
        return f"nothing answers at {where}; is embedded AWS running (python -m embedded start)?"
    if isinstance(error, ClientError):
        return _answer(error)
    if isinstance(error, BotoCoreError):
        return f"the AWS SDK gave up: {error}"
    return str(error)


def _answer(error: ClientError) -> str:
    detail = error.response.get("Error", {})
    code, message = detail.get("Code", "Unknown"), detail.get("Message", "").rstrip(".")
    if refused(error):
        return f"AWS refused {error.operation_name} for these credentials: {message}"
    if code in EXPIRED:
        return f"the AWS credentials are no longer valid ({code}); sign in again"
    return f"AWS answered {error.operation_name} with {code}: {message}"
