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

from embedded.compute.job import ClientFactory
from embedded.compute.object_store import split_uri


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

    def record(
        self,
        *,
        variant: str,
        at: datetime,
        request: tuple[bytes, str],
        answer: tuple[bytes, str],
        inference_id: str | None,
        custom_attributes: str | None,
    ) -> None:
        """Keep one request and its answer (each: body, content type), if this one is in the sample."""
        if self._config is None or random.random() * 100 >= self._config["InitialSamplingPercentage"]:
            return
        data = {}
        if self._input:
            data["endpointInput"] = self._side(*request, mode="INPUT")
        if self._output:
            data["endpointOutput"] = self._side(*answer, mode="OUTPUT")
        event: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if inference_id:
            event["inferenceId"] = inference_id
        if custom_attributes:
            event["customAttributes"] = [custom_attributes]
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
        bucket, prefix = split_uri(config["DestinationS3Uri"])
        moment = f"{at:%M-%S}-{at.microsecond // 1000:03d}"
        folder = "/".join(filter(None, [prefix.rstrip("/"), self._endpoint, variant, f"{hour:%Y/%m/%d/%H}"]))
        key = f"{folder}/{moment}-{uuid.uuid4()}.jsonl"
        kms = config.get("KmsKeyId")
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms} if kms else {}
        body = "".join(f"{line}\n" for line in lines).encode()
        self._client("s3").put_object(Bucket=bucket, Key=key, Body=body, **encryption)
