"""Events that AWS services themselves put on the default bus."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from ministack.core.responses import request_scope
from ministack.services import eventbridge

LOGGER = logging.getLogger(__name__)


class EventSink(Protocol):
    """Where a service reports what changed."""

    def __call__(self, *, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str]) -> None:
        """Put one event on the default bus."""


class DefaultBus:
    """The default bus of one account and region."""

    def __init__(self, *, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def __call__(self, *, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str]) -> None:
        """Put one event on the bus; `aws.*` sources are a service's own privilege."""
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": list(resources),
        }
        with request_scope(self._account, self._region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
        LOGGER.info("event %s: %s", detail_type, ", ".join(resources))


def iso_times(value: Any) -> Any:
    """The value with its times as ISO 8601 text, as model package events carry them."""
    return _with_times(value, lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def epoch_times(value: Any) -> Any:
    """The value with its times as milliseconds since the epoch, as job and endpoint events carry them."""
    return _with_times(value, lambda moment: round(moment.timestamp() * 1000))


def _with_times(value: Any, render: Any) -> Any:
    match value:
        case dict():
            return {key: _with_times(item, render) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_with_times(item, render) for item in value]
        case datetime():
            return render(value)
    return value
