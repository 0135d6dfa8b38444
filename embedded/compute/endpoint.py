"""An endpoint: fleets of containers behind one name, exchanged step by step without losing a request."""

import logging
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded.compute.async_inference import AsyncInference
from embedded.compute.endpoint_metrics import EndpointMetrics
from embedded.compute.explainer import NotExplained
from embedded.compute.fleet import Fleet, UnknownVariant
from embedded.compute.invocation import Invocation, Request
from embedded.compute.job import ClientFactory, Environment, now
from embedded.compute.model_server import Reply
from embedded.compute.served_model import EndpointFailure
from embedded.compute.shadowing import Shadowing
from embedded.compute.variant import Throttled, Variant

__all__ = [
    "EndpointFailure",
    "EndpointHost",
    "Invocation",
    "NotExplained",
    "Request",
    "Throttled",
    "UnknownVariant",
    "WrongCall",
]

LOGGER = logging.getLogger(__name__)
_FLUSH_EVERY_S = 0.5


class WrongCall(Exception):
    """An asynchronous endpoint was called as a synchronous one, or the other way round."""


class EndpointHost:
    """Serves one endpoint.

    A new configuration comes in steps: `prepare` starts its fleet beside the one that serves, `shift` moves a share of
    the requests to it, and `commit` or `abandon` ends one of the two. `update` takes all steps at once.

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
        self._next: Fleet | None = None
        self._share = 0.0
        self._generation = 0
        self._swap = threading.Lock()
        self._one_change = threading.RLock()
        self._flushing = threading.Lock()
        self._stopped = threading.Event()
        self._ticker: threading.Thread | None = None
        self._shadowing = Shadowing(name=name, metrics=self._metrics)
        self._async = AsyncInference(
            endpoint=name, client=client, metrics=self._metrics, instances=self._instances, invoke=self._answer
        )

    def update(self, config: Mapping[str, Any]) -> None:
        """Serve a configuration; returns when all requests go to it, and what served before has ended.

        Raises:
            EndpointFailure: It cannot be served; what served before still does, untouched.
        """
        self.prepare(config)
        self.commit()

    def prepare(self, config: Mapping[str, Any]) -> None:
        """Start the fleet of a configuration; it gets no request yet.

        Raises:
            EndpointFailure: It cannot be served; what served before still does, untouched.
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
                self._next, self._share = new, 0.0
            if self._stopped.is_set():
                self.stop()
                raise EndpointFailure(f"endpoint {self._name!r} was deleted while it started")

    def shift(self, share: float) -> None:
        """Send a share of the requests, from 0 to 1, to the fleet that was prepared."""
        with self._swap:
            self._share = share

    def commit(self) -> None:
        """Let the fleet that was prepared serve alone."""
        with self._one_change:
            with self._swap:
                if self._next is None:
                    raise EndpointFailure(f"endpoint {self._name!r} was deleted while it was updated")
                old, self._fleet, self._next = self._fleet, self._next, None
            self._async.configure(self._fleet.asynchronous)
            self._start_ticker()
            if old is not None:
                self._retire(old)

    def abandon(self) -> None:
        """End the fleet that was prepared; the one that served before serves alone."""
        with self._one_change:
            with self._swap:
                new, self._next = self._next, None
            if new is not None:
                self._retire(new)

    def update_weights(self, weights: Mapping[str, float]) -> None:
        """Share requests out differently among the variants."""
        self._serving().weigh(weights)

    def scale(self, instances: Mapping[str, int]) -> None:
        """Give variants another number of instances.

        Raises:
            EndpointFailure: A variant that had none does not come up.
        """
        with self._one_change:
            self._serving().scale(instances)
        self._async.wake()

    @property
    def stopped(self) -> bool:
        """Whether it was told to end."""
        return self._stopped.is_set()

    @property
    def url(self) -> str:
        """Where the first variant's container listens."""
        return next(iter(self._serving().variants.values())).url

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that serve."""
        return tuple(self._serving().variants)

    def invoke(self, request: Request) -> Invocation:
        """Send one request to a container, count it, and capture it if the configuration says so.

        Raises:
            UnknownVariant: The request's target names none.
            Throttled: The variant is serverless and answers as many requests as it may.
            WrongCall: The endpoint is asynchronous.
            NotExplained: Explanations are asked for and cannot be given.
        """
        if self._serving().asynchronous is not None:
            raise WrongCall(f"Endpoint {self._name} is asynchronous: call InvokeEndpointAsync.")
        return self._answer(request)

    @property
    def inbox(self) -> AsyncInference:
        """Where asynchronous requests go.

        Raises:
            WrongCall: The endpoint is not asynchronous.
        """
        if self._serving().asynchronous is None:
            raise WrongCall(f"Endpoint {self._name} is not asynchronous: call InvokeEndpoint.")
        return self._async

    def _answer(self, request: Request) -> Invocation:
        started = time.perf_counter()
        with self._held(request.target_variant) as (fleet, variant):
            reply, setup_us = self._reply(fleet, variant, request)
            self._metrics.note_reply(variant, reply)
            if fleet.asynchronous is None:
                took_us = round((time.perf_counter() - started) * 1_000_000)
                overhead_us = max(0, took_us - reply.latency_us)
                self._metrics.note_invocation(variant, overhead_us=overhead_us, setup_us=setup_us)
            fleet.capture.record_reply(variant.name, request, reply)
            self._shadowing.copy(fleet, request)
        return Invocation.of(request, reply, variant=variant.name)

    @staticmethod
    def _reply(fleet: Fleet, variant: Variant, request: Request) -> tuple[Reply, int | None]:
        if fleet.explainer is not None:
            return fleet.explainer.post(request, variant.post)
        if request.explanations is not None:
            raise NotExplained("The endpoint has no explainer, so EnableExplanations cannot be given.")
        return variant.post(request)

    @contextmanager
    def _held(self, target: str | None) -> Iterator[tuple[Fleet, Variant]]:
        """A fleet and a variant for one request, kept until it is over."""
        with self._swap:  # choosing and holding are one step, or a swap could end the container in between
            fleet = self._serving()
            new = self._next
            if new is not None and random.random() < self._share and target in (None, *new.variants):
                fleet = new
            variant = fleet.choose(target)
            variant.hold()
        try:
            yield fleet, variant
        finally:
            variant.release()

    def flush(self) -> None:
        """Write what was captured and counted so far."""
        with self._flushing:
            for fleet in self._fleets():
                fleet.capture.flush(at=now())
                if fleet.asynchronous is None:
                    for variant in fleet.variants.values():
                        self._metrics.note_concurrency(variant)
            self._async.measure()
            self._metrics.flush()

    def stop(self) -> None:
        """Write what is left and end every process. A host that was stopped does not start again."""
        self._stopped.set()
        self._async.stop()
        with self._swap:
            fleets = self._fleets()
            self._fleet = self._next = None
        for fleet in fleets:
            self._retire(fleet)
        self._shadowing.stop()
        if self._ticker is not None and self._ticker is not threading.current_thread():
            self._ticker.join(timeout=10)

    def _retire(self, fleet: Fleet) -> None:
        fleet.drain()
        self._shadowing.drain()
        try:
            with self._flushing:
                fleet.capture.flush(at=now())
                self._metrics.flush()
        except (BotoCoreError, ClientError) as error:
            LOGGER.warning("endpoint %s: what it captured last is lost: %s", self._name, error)
        finally:
            fleet.stop()

    def _serving(self) -> Fleet:
        fleet = self._fleet
        if fleet is None:
            raise EndpointFailure(f"endpoint {self._name!r} does not serve")
        return fleet

    def _fleets(self) -> list[Fleet]:
        return [fleet for fleet in (self._fleet, self._next) if fleet is not None]

    def _instances(self) -> int:
        fleet = self._fleet
        return 0 if fleet is None else fleet.instances

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
                        self._care()
                    finally:
                        self._one_change.release()
            except (BotoCoreError, ClientError, EndpointFailure) as error:
                LOGGER.warning("endpoint %s: %s", self._name, error)

    def _care(self) -> None:
        if not self._stopped.is_set():
            for fleet in self._fleets():
                fleet.care()
