"""What SageMaker refuses of transform jobs beyond what its API's shapes say."""

from collections.abc import Iterator, Mapping
from typing import Any

from embedded.front.api import ApiError
from embedded.sagemaker.store import Record

_TOGETHER_MB = 100
_PAYLOAD_MB = 6


def check_transform(request: Mapping[str, Any], models: Mapping[str, Record]) -> None:
    """Check a request for a transform job.

    Raises:
        ApiError: A ValidationException that says what cannot be.
    """
    for reason in _faults(request, models):
        raise ApiError("ValidationException", reason)


def _faults(request: Mapping[str, Any], models: Mapping[str, Record]) -> Iterator[str]:
    if request["ModelName"] not in models:
        yield f'Could not find model "{request["ModelName"]}".'
    payload, workers = request.get("MaxPayloadInMB", _PAYLOAD_MB), max(1, request.get("MaxConcurrentTransforms", 1))
    together = payload * workers
    if together > _TOGETHER_MB:
        yield f"MaxConcurrentTransforms * MaxPayloadInMB must not be greater than {_TOGETHER_MB}, not {together}."
    split = request["TransformInput"].get("SplitType", "None")
    if request.get("BatchStrategy") == "SingleRecord" and split == "None":
        yield "BatchStrategy SingleRecord needs a SplitType that says where a record ends."
