"""Data capture: requests and answers of an endpoint as JSON lines in S3, as SageMaker writes them."""

import base64
import collections
import json
import random
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from embedded.compute.invocation import Request
from embedded.compute.job import ClientFactory, now
from embedded.compute.model_server import Reply
from embedded.compute.object_store import put_object


class DataCapture:
    """What one endpoint configuration captures.

    Args:
        config: Its DataCaptureConfig; None or disabled captures nothing.
        endpoint: The endpoint's name, a part of the objects' keys.
        client: Gives the S3 client.
    """

    def __init__(self, *, config: Mapping[str, Any] | None, endpoint: str, client: ClientFactory) -> None:
        self._config = config if config and config.get("EnableCapture") else None
        self._endpoint = endpoint
        self._client = client
        self._pending: dict[tuple[str, datetime], list[str]] = collections.defaultdict(list)
        self._lock = threading.Lock()
        options = (self._config or {}).get("CaptureOptions", ())
        modes = {option["CaptureMode"] for option in options}
        self._input = bool(modes & {"Input", "InputAndOutput"})
        self._output = bool(modes & {"Output", "InputAndOutput"})
        headers = (self._config or {}).get("CaptureContentTypeHeader", {})
        self._csv = {kind.lower() for kind in headers.get("CsvContentTypes", ())}
        self._json = {kind.lower() for kind in headers.get("JsonContentTypes", ())}

    def record_reply(self, variant: str, request: Request, reply: Reply) -> None:
        """Keep one request and its answer, if it was answered and is in the sample."""
        if self._config is None or reply.status >= 400:
            return
        if random.random() * 100 >= self._config["InitialSamplingPercentage"]:
            return
        at, data = now(), {}
        if self._input:
            data["endpointInput"] = self._side(request.body, request.content_type, mode="INPUT")
        if self._output:
            data["endpointOutput"] = self._side(reply.body, reply.content_type, mode="OUTPUT")
        event: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if request.inference_id:
            event["inferenceId"] = request.inference_id
        if request.custom_attributes:
            event["customAttributes"] = [request.custom_attributes]
        event["inferenceTime"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        line = json.dumps({"captureData": data, "eventMetadata": event, "eventVersion": "0"})
        with self._lock:
            self._pending[variant, at.replace(minute=0, second=0, microsecond=0)].append(line)

    def _side(self, body: bytes, content_type: str, *, mode: str) -> dict[str, str]:
        kind = content_type.split(";")[0].strip().lower()
        encoding = "CSV" if kind in self._csv else "JSON" if kind in self._json else "BASE64"
        try:
            text = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode("utf-8")
        except UnicodeDecodeError:
            encoding, text = "BASE64", base64.b64encode(body).decode()
        return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}

    def flush(self, *, at: datetime) -> None:
        """Write what was kept; one object for each variant and hour. What S3 does not take is kept for next time."""
        with self._lock:
            pending, self._pending = self._pending, collections.defaultdict(list)
        written = set()
        try:
            for (variant, hour), lines in pending.items():
                self._write(variant, hour, lines, at=at)
                written.add((variant, hour))
        finally:
            with self._lock:
                for key in set(pending) - written:
                    self._pending[key][:0] = pending[key]

    def _write(self, variant: str, hour: datetime, lines: list[str], *, at: datetime) -> None:
        config: Mapping[str, Any] = self._config or {}
        moment = f"{at:%M-%S}-{at.microsecond // 1000:03d}"
        folder = f"{config['DestinationS3Uri'].rstrip('/')}/{self._endpoint}/{variant}/{hour:%Y/%m/%d/%H}"
        body = "".join(f"{line}\n" for line in lines).encode()
        uri = f"{folder}/{moment}-{uuid.uuid4()}.jsonl"
        put_object(self._client("s3"), uri=uri, body=body, content_type=None, kms_key=config.get("KmsKeyId"))
