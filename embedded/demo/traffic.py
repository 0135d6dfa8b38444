"""The bank's application: it asks the endpoint about customers, and learns later who left."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from cli.serving import Serving
from cli.stacks import Platform
from cli.storage import listing, read_lines, split
from cli.waiting import wait_for

CALLERS = 8
# How long the endpoint may take to flush what it captured.
FLUSH_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of traffic: who was asked about, and the window that covers just that."""

    requests: pd.DataFrame
    window_start: datetime
    window_end: datetime

    @property
    def some_inference_id(self) -> str:
        """The id of its last request."""
        return str(self.requests["inference_id"].iloc[-1])


def send(platform: Platform, served: Serving, requests: pd.DataFrame) -> Stretch:
    """Ask about every customer, wait until all is captured, and hand in the labels.

    Raises:
        BatonError: Not everything was captured in time.
    """
    start = datetime.now(UTC).replace(microsecond=0)
    runtime = platform.client("sagemaker-runtime")

    def ask(line: str, inference_id: str) -> None:
        answer = runtime.invoke_endpoint(
            EndpointName=served.endpoint,
            Body=line.encode(),
            ContentType="text/csv",
            Accept="text/csv",
            InferenceId=inference_id,
        )
        content = answer["Body"].read()
        if answer["ContentType"].startswith("application/json"):  # an explainer has wrapped it
            content = json.loads(content)["predictions"]["data"]
        float(content)

    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(ask, requests["csv"], requests["inference_id"]))
    _await_capture(platform, served, set(requests["inference_id"]))
    # Times are captured in whole seconds, and the window's end is exclusive.
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    _hand_in_labels(platform, served, requests, start)
    return Stretch(requests=requests, window_start=start, window_end=end)


def _await_capture(platform: Platform, served: Serving, sent: set[str]) -> None:
    missing, read = set(sent), dict[str, int]()

    def still_missing() -> int:
        for entry in listing(platform.connection, f"{served.capture_uri.rstrip('/')}/{served.endpoint}/"):
            if read.get(entry.uri) != entry.size:
                read[entry.uri] = entry.size
                missing.difference_update(
                    record["eventMetadata"].get("inferenceId") for record in read_lines(platform.connection, entry.uri)
                )
        return len(missing)

    wait_for(still_missing, until=lambda count: count == 0, what="the data capture", seconds=FLUSH_SECONDS, every=0.5)


def _hand_in_labels(platform: Platform, served: Serving, requests: pd.DataFrame, moment: datetime) -> None:
    bucket, prefix = split(served.ground_truth_uri.rstrip("/"))
    known = requests[requests["label"].notna()]
    lines = [_label(label, name) for label, name in zip(known["label"], known["inference_id"], strict=True)]
    platform.client("s3").put_object(
        Bucket=bucket, Key=f"{prefix}/{moment:%Y/%m/%d/%H/%M%S}-labels.jsonl", Body="\n".join(lines).encode()
    )


def _label(label: Any, inference_id: str) -> str:
    return json.dumps(
        {
            "groundTruthData": {"data": str(label), "encoding": "CSV"},
            "eventMetadata": {"eventId": inference_id},
            "eventVersion": "0",
        }
    )
