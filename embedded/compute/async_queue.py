"""Requests that wait until an instance is free: a queue with as many workers as the instances may do at a time."""

import collections
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

LOGGER = logging.getLogger(__name__)
_THREADS = 8
_LOOK_EVERY_S = 0.5

Item = TypeVar("Item")


class AsyncQueue(Generic[Item]):
    """A queue in the order of arrival.

    Args:
        name: Names its threads.
        capacity: How many items may be worked on now; none while there is no instance.
        work: Deals with one item.
    """

    def __init__(self, *, name: str, capacity: Callable[[], int], work: Callable[[Item], None]) -> None:
        self._capacity, self._work = capacity, work
        self._waiting: collections.deque[tuple[float, Item]] = collections.deque()
        self._at_work = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix=f"async-{name}")
        self._dispatcher = threading.Thread(target=self._dispatch, name=f"async-{name}", daemon=True)
        self._dispatcher.start()

    def put(self, item: Item) -> None:
        """Add an item."""
        with self._changed:
            self._waiting.append((time.monotonic(), item))
            self._changed.notify_all()

    def wake(self) -> None:
        """Look again how much may be done at a time."""
        with self._changed:
            self._changed.notify_all()

    @property
    def size(self) -> int:
        """How many items wait or are worked on."""
        with self._changed:
            return len(self._waiting) + self._at_work

    @property
    def oldest_s(self) -> float | None:
        """How long the first of those that wait has waited, in seconds."""
        with self._changed:
            return time.monotonic() - self._waiting[0][0] if self._waiting else None

    def stop(self) -> None:
        """Begin nothing more; what waits is lost."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and not self._may_begin():
                    self._changed.wait(timeout=_LOOK_EVERY_S)
                if self._stopped:
                    return
                _, item = self._waiting.popleft()
                self._at_work += 1
            self._pool.submit(self._deal, item)

    def _may_begin(self) -> bool:
        return bool(self._waiting) and self._at_work < min(_THREADS, self._capacity())

    def _deal(self, item: Item) -> None:
        try:
            self._work(item)
        except Exception:
            LOGGER.exception("an asynchronous request broke off")
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()
