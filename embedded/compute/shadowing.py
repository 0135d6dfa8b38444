"""Copies of requests for shadow variants: nobody waits for their answers, and none fails a caller."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

from embedded.compute.endpoint_metrics import EndpointMetrics
from embedded.compute.fleet import Fleet
from embedded.compute.invocation import Request
from embedded.compute.served_model import EndpointFailure
from embedded.compute.variant import Variant

_WAITING_LIMIT = 64  # a shadow that is slower than production loses copies rather than memory
_DRAIN_LIMIT_S = 30.0


class Shadowing:
    """Sends copies to an endpoint's shadow variants, and counts and captures what these answer.

    Args:
        name: The endpoint's name.
        metrics: The endpoint's metrics; a shadow variant counts under its own name.
    """

    def __init__(self, *, name: str, metrics: EndpointMetrics) -> None:
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix=f"shadow-{name}")
        self._lock = threading.Lock()
        self._under_way: set[Future[None]] = set()

    def copy(self, fleet: Fleet, request: Request) -> None:
        """Send a copy of a request to those shadow variants whose sample it is in."""
        for variant in fleet.sampled():
            with self._lock:
                if len(self._under_way) >= _WAITING_LIMIT:
                    continue
                copy = self._pool.submit(self._send, fleet, variant, request)
                self._under_way.add(copy)
            copy.add_done_callback(self._over)

    def _send(self, fleet: Fleet, variant: Variant, request: Request) -> None:
        try:
            reply, setup_us = variant.post(request)
        except EndpointFailure:
            return  # its container did not come up again; the endpoint's log says why
        self._metrics.note_reply(variant, reply)
        self._metrics.note_invocation(variant, overhead_us=None, setup_us=setup_us)
        fleet.capture.record_reply(variant.name, request, reply)

    def _over(self, copy: "Future[None]") -> None:
        with self._lock:
            self._under_way.discard(copy)

    def drain(self) -> None:
        """Wait for the copies under way, but not for ever."""
        with self._lock:
            copies = set(self._under_way)
        wait(copies, timeout=_DRAIN_LIMIT_S)

    def stop(self) -> None:
        """Take no more copies."""
        self._pool.shutdown(wait=False, cancel_futures=True)
