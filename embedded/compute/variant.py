"""One variant of an endpoint: its container while it has capacity, and how many requests it takes at a time."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.compute.hosted_model import HostedModel, Place
from embedded.compute.invocation import Request
from embedded.compute.model_server import Reply

_IDLE_LIMIT_S = 300.0  # AWS does not say after how long a serverless variant goes cold


class Throttled(Exception):
    """A serverless variant answers as many requests as it may already."""


class Variant:
    """A variant. One container stands for all of its instances: what they multiply here is what it may do at a time.

    Args:
        declared: The variant of the endpoint configuration.
        place: Where its container lives.
    """

    def __init__(self, *, declared: Mapping[str, Any], place: Place) -> None:
        self.name: str = declared["VariantName"]
        self.instances = int(declared.get("InitialInstanceCount", 1))
        self._declared, self._place = declared, place
        serverless = declared.get("ServerlessConfig")
        self._limit: int | None = serverless["MaxConcurrency"] if serverless else None
        self._sleeps = serverless is not None and "ProvisionedConcurrency" not in serverless
        self._model: HostedModel | None = None
        self._starting = threading.Lock()
        self._under_way = self._peak = 0
        self._idle = threading.Condition()
        self._last_used = time.monotonic()
        self._generation = 0

    @property
    def serverless(self) -> bool:
        """Whether it scales by request."""
        return self._limit is not None

    @property
    def url(self) -> str:
        """Where its container listens."""
        return self._hosted().server.url

    def start(self) -> None:
        """Start the container, unless the variant has no instances to run it on.

        Raises:
            EndpointFailure: The model cannot be had or its container is not healthy.
        """
        if self.serverless or self.instances:
            self._hosted()

    def scale(self, instances: int) -> None:
        """Give it another number of instances; with none, its container ends when its last request has.

        Raises:
            EndpointFailure: The first instance does not come up.
        """
        if instances:
            self._hosted()
        self.instances = instances
        if not instances:
            self.drain(limit_s=30.0)
            self._end()

    def hold(self) -> None:
        """Keep it for one request; `drain` waits until it is released.

        Raises:
            Throttled: It is serverless and at its limit.
        """
        with self._idle:
            if self._limit is not None and self._under_way >= self._limit:
                raise Throttled(
                    f"Rate exceeded: variant {self.name} answers {self._under_way} requests, its MaxConcurrency."
                )
            self._under_way += 1
            self._peak = max(self._peak, self._under_way)

    def release(self) -> None:
        """Say that the request is over."""
        with self._idle:
            self._under_way -= 1
            self._last_used = time.monotonic()
            self._idle.notify_all()

    def take_peak(self) -> int:
        """The most requests that were under way at a time since this was last asked."""
        with self._idle:
            peak, self._peak = self._peak, self._under_way
        return peak

    def post(self, request: Request) -> tuple[Reply, int | None]:
        """Send one request to the container; answers also the microseconds it took to start one, where it had to."""
        started = time.perf_counter()
        cold = self._model is None
        server = self._hosted().server
        setup_us = round((time.perf_counter() - started) * 1_000_000) if cold else None
        return server.post(body=request.body, headers=request.headers, timeout_s=request.timeout_s), setup_us

    def care(self) -> None:
        """Start a container anew that ended by itself, as SageMaker does; end one that nobody has used for long."""
        model = self._model
        if model is None:
            return
        if not model.server.alive:
            self._end()
            self._hosted()
        elif self._sleeps and self._under_way == 0 and time.monotonic() - self._last_used > _IDLE_LIMIT_S:
            self._end()

    def drain(self, *, limit_s: float) -> None:
        """Wait until no request is under way, but not for ever."""
        with self._idle:
            self._idle.wait_for(lambda: self._under_way == 0, timeout=limit_s)

    def stop(self) -> None:
        """End the container."""
        self._end()

    def _hosted(self) -> HostedModel:
        with self._starting:
            if self._model is None:
                self._generation += 1
                number = str(self._generation)
                own = replace(
                    self._place,
                    workdir=self._place.workdir / number,
                    log_stream=f"{self._place.log_stream}-{number}",
                )
                model = HostedModel(owner=self._declared, name=self.name, place=own)
                model.start()
                self._model = model
            return self._model

    def _end(self) -> None:
        with self._starting:
            model, self._model = self._model, None
        if model is not None:
            model.stop()
