"""Asynchronous inference: requests that lie in S3, answered when an instance is free, with the answer in S3."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded.compute.async_notice import Notices
from embedded.compute.async_queue import AsyncQueue
from embedded.compute.async_submission import Outcome, Submission
from embedded.compute.endpoint_metrics import EndpointMetrics
from embedded.compute.invocation import Invocation, Request
from embedded.compute.job import ClientFactory, now
from embedded.compute.object_store import put_object, read_object
from embedded.compute.served_model import EndpointFailure

_CONCURRENCY = 4  # per instance, where the configuration leaves it to SageMaker
_QUIET_S = 2.0  # how often an empty queue is measured; one with requests is each time


class AsyncInference:
    """The queue of one endpoint, and what becomes of each request in it.

    Args:
        endpoint: The endpoint's name.
        client: Gives boto3 clients of the front door.
        metrics: The endpoint's metrics.
        instances: How many instances there are now; with none, requests wait.
        invoke: Sends a request to a container.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        client: ClientFactory,
        metrics: EndpointMetrics,
        instances: Callable[[], int],
        invoke: Callable[[Request], Invocation],
    ) -> None:
        self._endpoint, self._client, self._metrics = endpoint, client, metrics
        self._instances, self._invoke = instances, invoke
        self._config: Mapping[str, Any] = {}
        self._queue: AsyncQueue[Submission] | None = None
        self._measured = -_QUIET_S

    def configure(self, config: Mapping[str, Any] | None) -> None:
        """Work as a configuration says; None ends the queue of an endpoint that is asynchronous no more."""
        self._config = config or {}
        if config is None:
            self.stop()
        elif self._queue is None:
            self._queue = AsyncQueue(name=self._endpoint, capacity=self._capacity, work=self._process)

    def submit(self, submission: Submission) -> tuple[str, str | None]:
        """Queue a request; answers where its answer, or what the container says of its failure, will lie.

        Raises:
            EndpointFailure: The endpoint is being deleted.
        """
        queue = self._queue
        if queue is None:
            raise EndpointFailure(f"endpoint {self._endpoint!r} does not serve")
        located = submission.located(self._config["OutputConfig"], name=str(uuid.uuid4()))
        queue.put(located)
        return located.output_location, located.failure_location

    def wake(self) -> None:
        """Look again how many instances there are."""
        if self._queue is not None:
            self._queue.wake()

    def measure(self) -> None:
        """Note how long the queue is."""
        queue = self._queue
        if queue is None:
            return
        size, instances, oldest = queue.size, self._instances(), queue.oldest_s
        if not size and time.monotonic() - self._measured < _QUIET_S:
            return
        self._measured = time.monotonic()
        self._metrics.note("ApproximateBacklogSize", size, unit="Count")
        self._metrics.note("HasBacklogWithoutCapacity", int(size > 0 and not instances), unit="Count")
        if instances:
            self._metrics.note("ApproximateBacklogSizePerInstance", size / instances, unit="Count")
        if oldest is not None:
            self._metrics.note("ApproximateAgeOfOldestRequest", oldest, unit="Seconds")

    def stop(self) -> None:
        """Begin nothing more; what waits is lost, as it is when a real endpoint is deleted."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.stop()

    def _capacity(self) -> int:
        per_instance = self._config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", _CONCURRENCY)
        return int(self._instances() * per_instance)

    def _process(self, submission: Submission) -> None:
        outcome = self._outcome(submission)
        variant = outcome.variant or submission.variant
        self._note("TimeInBacklog", outcome.waited_ms, "Milliseconds", variant)
        self._note("TotalProcessingTime", (now() - submission.received).total_seconds() * 1000, "Milliseconds", variant)
        self._note("InvocationFailures" if outcome.failure_reason else "InvocationsProcessed", 1, "Count", variant)
        notices = Notices(endpoint=self._endpoint, client=self._client, config=self._config["OutputConfig"])
        try:
            notices.send(submission, outcome)
        except (BotoCoreError, ClientError):
            self._note("NotificationFailures", 1, "Count", variant)

    def _outcome(self, submission: Submission) -> Outcome:
        waited = (now() - submission.received).total_seconds()
        known: dict[str, Any] = {"waited_ms": waited * 1000}
        if waited > submission.ttl_s:
            self._note("ExpiredRequests", 1, "Count", submission.variant)
            return Outcome(**known, failure_reason="ClientError: The request expired before it was processed.")
        try:
            body = self._payload(submission)
        except (BotoCoreError, ClientError) as error:
            self._note("RequestDownloadFailures", 1, "Count", submission.variant)
            reason = f"ClientError: Could not download the request at {submission.input_location}: {error}"
            return Outcome(**known, failure_reason=reason)
        try:
            answer = self._invoke(submission.request(body))
        except EndpointFailure as error:
            return Outcome(**known, failure_reason=f"InternalServerError: {error}")
        return self._store(submission, answer, known)

    def _store(self, submission: Submission, answer: Invocation, known: Mapping[str, Any]) -> Outcome:
        location: str | None = submission.output_location
        reason = None
        if not 200 <= answer.status < 300:
            side = "client" if answer.status < 500 else "server"
            reason = (
                f"ClientError: Received {side} error ({answer.status}) from model. "
                "See the SageMaker Endpoint logs in your account for more information."
            )
            location = submission.failure_location
        if location is not None:
            target = location
            try:
                self._timed("ResponseUploadLatency", answer.variant, lambda: self._upload(target, answer))
            except (BotoCoreError, ClientError) as error:
                self._note("ResponseUploadFailures", 1, "Count", answer.variant)
                location, reason = None, reason or f"ClientError: Could not upload the response to {target}: {error}"
        return Outcome(**known, variant=answer.variant, answer=answer, location=location, failure_reason=reason)

    def _payload(self, submission: Submission) -> bytes:
        uri = submission.input_location
        if uri is None:
            return submission.body
        found: bytes = self._timed(
            "RequestDownloadLatency", submission.variant, lambda: read_object(self._client("s3"), uri=uri)
        )
        return found

    def _upload(self, location: str, answer: Invocation) -> None:
        key = self._config["OutputConfig"].get("KmsKeyId")
        put_object(
            self._client("s3"), uri=location, body=answer.body, content_type=answer.content_type or None, kms_key=key
        )

    def _timed(self, metric: str, variant: str, step: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = step()
        self._note(metric, (time.perf_counter() - started) * 1_000_000, "Microseconds", variant)
        return result

    def _note(self, metric: str, value: float, unit: str, variant: str) -> None:
        self._metrics.note(metric, value, unit=unit, variant=variant)
