"""Where started work goes on: threads, folders and clients for what `embedded.compute` runs."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

LOGGER = logging.getLogger(__name__)
ClientFactory = Callable[[str], Any]


class Stoppable(Protocol):
    """Something under way that can be told to stop."""

    def stop(self) -> None:
        """Stop it; its result says that it was stopped."""


class Workshop:
    """Bounded threads for jobs, pipelines and endpoints, and a register of what runs in them.

    Args:
        client: Makes clients for the front door itself.
        environment: What a job's process gets to reach the front door.
        folder: Below it each run has a folder of its own.
        workers: How many jobs run at a time; what comes later waits its turn.
    """

    def __init__(
        self, *, client: ClientFactory, environment: Mapping[str, str], folder: Path, workers: int = 2
    ) -> None:
        self.client = client
        self.environment = dict(environment)
        self._folder = folder
        self._jobs = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="job")
        self._coordinators = ThreadPoolExecutor(max_workers=8, thread_name_prefix="coordinator")
        self._under_way: dict[str, Stoppable] = {}
        self._lock = threading.Lock()

    def folder(self, kind: str, name: str) -> Path:
        """The folder of one run."""
        return self._folder / kind / name

    def start_job(self, key: str, run: Stoppable, work: Callable[[], None]) -> None:
        """Run a job when a worker is free; `key` names it for `stop`."""
        self._submit(self._jobs, key, run, work)

    def start_coordinator(self, key: str, run: Stoppable, work: Callable[[], None]) -> None:
        """Run what itself only waits for jobs or processes: a pipeline, an endpoint's deployment."""
        self._submit(self._coordinators, key, run, work)

    def stop(self, key: str) -> None:
        """Tell one run to stop, where it is still under way."""
        with self._lock:
            run = self._under_way.get(key)
        if run is not None:
            run.stop()

    def under_way(self, key: str) -> bool:
        """Whether one run waits its turn or runs."""
        with self._lock:
            return key in self._under_way

    def close(self) -> None:
        """Stop all that is under way and take no more."""
        self._jobs.shutdown(wait=False, cancel_futures=True)
        self._coordinators.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            runs = list(self._under_way.items())
        for key, run in runs:
            try:
                run.stop()
            except Exception:
                LOGGER.exception("%s did not stop", key)

    def _submit(self, pool: ThreadPoolExecutor, key: str, run: Stoppable, work: Callable[[], None]) -> None:
        with self._lock:
            self._under_way[key] = run
        future = pool.submit(work)
        future.add_done_callback(lambda done: self._finished(key, done))

    def _finished(self, key: str, done: "Future[None]") -> None:
        with self._lock:
            self._under_way.pop(key, None)
        error = None if done.cancelled() else done.exception()
        if error is not None:
            LOGGER.error("%s broke off", key, exc_info=error)
