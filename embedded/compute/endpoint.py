"""A real-time endpoint: containers behind one name, exchanged without losing a request."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded.compute.endpoint_metrics import EndpointMetrics
from embedded.compute.fleet import Fleet, UnknownVariant
from embedded.compute.job import ClientFactory, Environment, now
from embedded.compute.model_server import Reply
from embedded.compute.served_model import EndpointFailure

__all__ = ["EndpointFailure", "EndpointHost", "Invocation", "UnknownVariant"]

LOGGER = logging.getLogger(__name__)
_FLUSH_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What InvokeEndpoint answers, or, with a status of 400 and more, what its ModelError says."""

    status: int
    body: bytes
    content_type: str
    variant: str
    custom_attributes: str | None
    inference_id: str | None


class EndpointHost:
    """Serves one endpoint.

    Args:
        name: The endpoint's name.
        client: Gives boto3 clients of the front door.
        workdir: A folder of the endpoint's own.
        environment: How the containers reach AWS.
    """

    def __init__(self, *, name: str, client: ClientFactory, workdir: Path, environment: Environment) -> None:
        self._name, self._client = name, client
        self._workdir, self._environment = workdir, environment
        self._metrics = EndpointMetrics(endpoint=name, client=client)
        self._fleet: Fleet | None = None
        self._generation = 0
        self._swap = threading.Lock()
        self._one_change = threading.Lock()
        self._flushing = threading.Lock()
        self._stopped = threading.Event()
        self._ticker: threading.Thread | None = None

    def start(self, config: Mapping[str, Any]) -> None:
        """Serve a configuration; returns when it answers.

        Raises:
            EndpointFailure: It cannot be served.
        """
        self.update(config)

    def update(self, config: Mapping[str, Any]) -> None:
        """Serve another configuration: start it, move all requests to it at once, let the old one finish and end it.

        Raises:
            EndpointFailure: It cannot be served; the old one still serves, untouched.
        """
        with self._one_change:
            self._generation += 1
            new = Fleet(
                endpoint=self._name,
                config=config,
                client=self._client,
                workdir=self._workdir / f"fleet-{self._generation}",
                environment=self._environment,
            )
            new.start()
            with self._swap:
                old, self._fleet = self._fleet, new
            if self._stopped.is_set():
                self.stop()
                raise EndpointFailure(f"endpoint {self._name!r} was deleted while it started")
            self._start_ticker()
            if old is not None:
                self._retire(old)

    def _retire(self, fleet: Fleet) -> None:
        fleet.drain()
        try:
            self._flush_fleet(fleet)
        except (BotoCoreError, ClientError) as error:
            LOGGER.warning("endpoint %s: what it captured last is lost: %s", self._name, error)
        finally:
            fleet.stop()

    def update_weights(self, weights: Mapping[str, float]) -> None:
        """Share requests out differently among the variants."""
        self._serving().weigh(weights)

    @property
    def url(self) -> str:
        """Where the first variant's container listens."""
        return next(iter(self._serving().servers.values())).url

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that serve."""
        return tuple(self._serving().servers)

    def invoke(
        self,
        *,
        body: bytes,
        content_type: str = "application/octet-stream",
        accept: str | None = None,
        inference_id: str | None = None,
        target_variant: str | None = None,
        custom_attributes: str | None = None,
    ) -> Invocation:
        """Send one request to a container, count it, and capture it if the configuration says so.

        Raises:
            UnknownVariant: `target_variant` names none.
        """
        headers = {"Content-Type": content_type, "Accept": accept or "*/*"}
        if custom_attributes:
            headers["X-Amzn-SageMaker-Custom-Attributes"] = custom_attributes
        if inference_id:
            headers["X-Amzn-SageMaker-Inference-Id"] = inference_id
        with self._swap:  # choosing and holding the server are one step, or a swap could end it in between
            fleet = self._serving()
            variant, server = fleet.choose(target_variant)
            server.hold()
        try:
            reply = server.post(body=body, headers=headers)
            self._metrics.note(variant=variant, status=reply.status, latency_us=reply.latency_us)
            if reply.status < 400:
                fleet.capture.record(
                    variant=variant,
                    at=now(),
                    request=(body, content_type),
                    answer=(reply.body, _content_type(reply)),
                    inference_id=inference_id,
                    custom_attributes=custom_attributes,
                )
        finally:
            server.release()
        return Invocation(
            status=reply.status,
            body=reply.body,
            content_type=_content_type(reply),
            variant=variant,
            custom_attributes=reply.headers.get("x-amzn-sagemaker-custom-attributes"),
            inference_id=inference_id,
        )

    def flush(self) -> None:
        """Write what was captured and counted so far."""
        with self._swap:
            fleet = self._fleet
        if fleet is not None:
            self._flush_fleet(fleet)

    def stop(self) -> None:
        """Write what is left and end every process. A host that was stopped does not start again."""
        self._stopped.set()
        with self._swap:
            fleet, self._fleet = self._fleet, None
        if fleet is not None:
            self._retire(fleet)
        if self._ticker is not None and self._ticker is not threading.current_thread():
            self._ticker.join(timeout=10)

    def _serving(self) -> Fleet:
        if self._fleet is None:
            raise EndpointFailure(f"endpoint {self._name!r} does not serve")
        return self._fleet

    def _flush_fleet(self, fleet: Fleet) -> None:
        with self._flushing:
            fleet.capture.flush(at=now())
            self._metrics.flush()

    def _start_ticker(self) -> None:
        if self._ticker is None:
            self._ticker = threading.Thread(target=self._tick, name=f"endpoint-{self._name}", daemon=True)
            self._ticker.start()

    def _tick(self) -> None:
        while not self._stopped.wait(_FLUSH_EVERY_S):
            try:
                self.flush()
                if self._one_change.acquire(blocking=False):
                    try:
                        self._revive()
                    finally:
                        self._one_change.release()
            except (BotoCoreError, ClientError, EndpointFailure) as error:
                LOGGER.warning("endpoint %s: %s", self._name, error)

    def _revive(self) -> None:
        fleet = self._fleet
        if fleet is not None and not self._stopped.is_set():
            fleet.revive()


def _content_type(reply: Reply) -> str:
    return reply.headers.get("content-type", "")
