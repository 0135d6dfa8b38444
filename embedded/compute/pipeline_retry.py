"""When a failed step is tried again, by the RetryPolicies of its definition."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

_THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
_JOB_FAULTS = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}


def fault_of_call(error: Exception) -> str | None:
    """The ExceptionType of an API call that failed; None if no policy can name it."""
    if not isinstance(error, ClientError):
        return None
    code = error.response["Error"]["Code"]
    if code in _THROTTLED:
        return "Step.THROTTLING"
    if code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    if int(error.response["ResponseMetadata"].get("HTTPStatusCode", 400)) >= 500:
        return "Step.SERVICE_FAULT"
    return None


def fault_of_job(reason: str) -> str | None:
    """The ExceptionType of a job that failed; a script's own error has none, it would fail again."""
    return next((fault for start, fault in _JOB_FAULTS.items() if reason.startswith(start)), None)


def delay_s(policies: Iterable[Mapping[str, Any]], *, fault: str | None, attempt: int) -> float | None:
    """How long to wait before the next attempt; None if this was the last."""
    for policy in policies:
        types = policy["ExceptionType"]
        if fault not in ([types] if isinstance(types, str) else types):
            continue
        if attempt <= policy.get("MaxAttempts", 5):
            return float(policy.get("IntervalSeconds", 1) * policy.get("BackoffRate", 2.0) ** (attempt - 1))
    return None
