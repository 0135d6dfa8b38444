"""One asynchronous request from its acceptance to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from embedded.compute.invocation import Invocation, Request
from embedded.compute.job import now


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What InvokeEndpointAsync was given, and where its answer goes.

    Attributes:
        inference_id: The caller's, or a generated one.
        input_location: The payload's S3 URI; None where the call brought the payload itself.
        body: The payload that came with the call.
        variant: The variant that metrics name while none has answered yet.
        content_type: What the payload is; None where the caller does not say.
        accept: What the answer should be.
        custom_attributes: Passed to the container.
        ttl_s: How long it may wait, in seconds.
        timeout_s: How long the container may take.
        path_extension: A folder below the configured one.
        file_name: The answer's name; None leaves it to SageMaker.
        received: When it was accepted.
        output_location: Where the answer will lie.
        failure_location: Where the container's error will lie, if the configuration wants it kept.
    """

    inference_id: str
    variant: str
    input_location: str | None = None
    body: bytes = b""
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    ttl_s: int = 21600
    timeout_s: int = 900
    path_extension: str | None = None
    file_name: str | None = None
    received: datetime = field(default_factory=now)
    output_location: str = ""
    failure_location: str | None = None

    def located(self, output: Mapping[str, Any], *, name: str) -> "Submission":
        """This request, with the places that an OutputConfig gives it."""
        folders = [folder.strip("/") for folder in (self.path_extension,) if folder]

        def place(base: str, suffix: str) -> str:
            return "/".join([base.rstrip("/"), *folders, self.file_name or f"{name}{suffix}"])

        failures = output.get("S3FailurePath")
        return replace(
            self,
            output_location=place(output["S3OutputPath"], ".out"),
            failure_location=place(failures, "-error.out") if failures else None,
        )

    def request(self, body: bytes) -> Request:
        """The request that the container gets."""
        return Request(
            body=body,
            content_type=self.content_type or "application/octet-stream",
            accept=self.accept,
            inference_id=self.inference_id,
            custom_attributes=self.custom_attributes,
            timeout_s=self.timeout_s,
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a request ended.

    Attributes:
        waited_ms: How long it was in the queue.
        variant: Which variant answered; None where none was asked.
        answer: What the container said.
        location: Where that was stored; None where it was not.
        failure_reason: Why it failed; None where it did not.
    """

    waited_ms: float
    variant: str | None = None
    answer: Invocation | None = None
    location: str | None = None
    failure_reason: str | None = None
