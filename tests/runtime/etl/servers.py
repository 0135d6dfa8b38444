"""Servers for tests: where one cannot be started, its tests say what to install."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from benchmarks.servers import HOST, Absent, Server, driver_jars, mariadb, postgresql, redis_server

__all__ = ["HOST", "Server", "driver_jars", "for_tests", "mariadb", "postgresql", "redis_server"]


@contextmanager
def for_tests(kind: Callable[[Path], AbstractContextManager[Server]], folder: Path) -> Iterator[Server]:
    """A server for as long as the block lasts. Without its programs, tests fail where CI=true and else are skipped."""
    try:
        with kind(folder) as server:
            yield server
    except Absent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(str(absent))
        pytest.skip(str(absent))
