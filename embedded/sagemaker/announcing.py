"""The event that tells of a resource's new state."""

from collections.abc import Mapping
from typing import Any

from embedded.front.events import EventSink, epoch_times
from embedded.sagemaker.store import Store


def announce(record: Mapping[str, Any], *, arn: str, detail_type: str, store: Store, events: EventSink) -> None:
    """Send what the record says, times as numbers, with the resource's tags as an object."""
    with store.locked():
        detail = epoch_times(record)
        tags = store.tags(arn)
    detail["Tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    events(source="aws.sagemaker", detail_type=detail_type, detail=detail, resources=[arn])
