"""Finding one prediction in the data capture."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.errors import BatonError
from cli.serving import Serving
from cli.stacks import Platform
from cli.storage import listing, read_lines


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One captured request and its answer."""

    inference_id: str
    event_id: str
    time: str
    endpoint: str
    variant: str
    request: str
    answer: str
    uri: str

    @property
    def moment(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.time.replace("Z", "+00:00"))


def find(platform: Platform, served: Serving, inference_id: str, *, hours: int) -> Prediction:
    """The captured prediction of an inference id (or of an event id, where the caller gave none).

    Raises:
        BatonError: The last `hours` hold no such prediction.
    """
    for uri, record in _records(platform, served, hours=hours):
        metadata = record["eventMetadata"]
        if inference_id in (metadata.get("inferenceId"), metadata["eventId"]):
            return _prediction(served, uri, record)
    raise BatonError(
        f"no prediction {inference_id!r} was captured in the last {hours} h under {served.capture_uri}; "
        "look further back with --hours, or check the id"
    )


def _records(platform: Platform, served: Serving, *, hours: int) -> Iterator[tuple[str, dict[str, Any]]]:
    since = datetime.now(UTC) - timedelta(hours=hours)
    files = [
        entry for entry in listing(platform.connection, f"{served.capture_uri.rstrip('/')}/") if entry.modified >= since
    ]
    for entry in sorted(files, key=lambda entry: entry.modified, reverse=True):
        for record in read_lines(platform.connection, entry.uri):
            yield entry.uri, record


def _prediction(served: Serving, uri: str, record: dict[str, Any]) -> Prediction:
    endpoint, variant = uri.removeprefix(served.capture_uri.rstrip("/")).strip("/").split("/")[:2]
    metadata = record["eventMetadata"]
    return Prediction(
        inference_id=metadata.get("inferenceId", ""),
        event_id=metadata["eventId"],
        time=metadata["inferenceTime"],
        endpoint=endpoint,
        variant=variant,
        request=_text(record["captureData"]["endpointInput"]),
        answer=_text(record["captureData"]["endpointOutput"]),
        uri=uri,
    )


def _text(side: dict[str, Any]) -> str:
    data = str(side["data"])
    return base64.b64decode(data).decode(errors="replace") if side.get("encoding") == "BASE64" else data.strip()
