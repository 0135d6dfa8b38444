"""Callers that never pause: each sends its next request as soon as a fixed time has passed, whatever happens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.config import Config

from cli.connection import from_environment

CALLERS, EVERY_S = 4, 0.05
# A request that had to be repeated has failed.
ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=10, read_timeout=60)


@dataclass
class Load:
    """What has become of the requests so far."""

    answered: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def steady_load(*, endpoint: str, row: str, environment: dict[str, str]) -> Iterator[Load]:
    """Ask the endpoint about one row, again and again, until the block ends."""
    load, stop = Load(), threading.Event()
    connection = from_environment(environment)

    def call() -> None:
        runtime = connection.session.client("sagemaker-runtime", endpoint_url=connection.endpoint_url, config=ONCE)
        while not stop.wait(EVERY_S):
            began = time.perf_counter()
            try:
                answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=row.encode(), ContentType="text/csv")
                float(answer["Body"].read())
            except Exception as error:  # whatever it is: the caller got no answer
                with load.lock:
                    load.failures.append(f"{type(error).__name__}: {error}")
            else:
                with load.lock:
                    load.answered += 1
                    load.seconds.append(time.perf_counter() - began)

    callers = [threading.Thread(target=call, daemon=True) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield load
    finally:
        stop.set()
        for caller in callers:
            caller.join(timeout=60)
