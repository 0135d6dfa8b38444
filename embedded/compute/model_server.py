"""One model's container as a process of its own."""

import collections
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import urllib3

from embedded.compute import container
from embedded.compute.container_process import end_group, kill_group
from embedded.compute.served_model import EndpointFailure

_START_LIMIT_S = 60.0
_ANSWER_LIMIT_S = 60.0  # SageMaker's own limit for a real-time request
_PING_EVERY_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a container answered, and how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_us: int

    @property
    def content_type(self) -> str:
        """What the body is."""
        return self.headers.get("content-type", "")


class ModelServer:
    """A running container.

    Args:
        variant: Whose container it is.
        environment: All of its environment.
        folder: Its working directory.
        on_line: Gets each line of its output.
    """

    def __init__(
        self, *, variant: str, environment: Mapping[str, str], folder: Path, on_line: Callable[[str], None]
    ) -> None:
        self._variant = variant
        self._environment, self._folder, self._on_line = environment, folder, on_line
        self._process: subprocess.Popen[str] | None = None
        self._last_lines: collections.deque[str] = collections.deque(maxlen=5)
        self._pool: urllib3.HTTPConnectionPool
        self._reader: threading.Thread
        self.url = ""

    def start(self) -> None:
        """Start it and wait until it answers /ping.

        Raises:
            EndpointFailure: It ended, or did not answer in time.
        """
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            self._process = subprocess.Popen(
                # -P: the container's folder must not shadow what the model imports.
                [sys.executable, "-P", container.__file__, str(listener.fileno())],
                env=dict(self._environment),
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                pass_fds=(listener.fileno(),),
                start_new_session=True,
            )
        self.url = f"http://127.0.0.1:{port}"
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=16, retries=False)
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        try:
            self._wait_for_ping(self._process)
        except EndpointFailure:
            self.stop()
            raise

    def _wait_for_ping(self, process: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._reader.join(timeout=1)
                raise EndpointFailure(self._unhealthy(f"the container ended with exit code {process.returncode}"))
            with suppress(urllib3.exceptions.HTTPError):
                if self._pool.request("GET", "/ping", timeout=1.0).status == 200:
                    return
            time.sleep(_PING_EVERY_S)
        raise EndpointFailure(self._unhealthy(f"no answer within {_START_LIMIT_S:.0f} s"))

    def _unhealthy(self, why: str) -> str:
        lines = " | ".join(self._last_lines) or "it wrote nothing"
        return (
            f"The primary container for production variant {self._variant} did not pass the ping health check: "
            f"{why}. Its last lines: {lines}"
        )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def post(self, *, body: bytes, headers: Mapping[str, str], timeout_s: float | None = None) -> Reply:
        """Send one request to /invocations; a container that does not answer is a 5xx, as for any caller of it."""
        started = time.perf_counter()
        limit = _ANSWER_LIMIT_S if timeout_s is None else timeout_s
        try:
            answer: Any = self._pool.request(
                "POST", "/invocations", body=body, headers=headers, timeout=limit, preload_content=True
            )
            status, found, content = int(answer.status), dict(answer.headers), bytes(answer.data)
        except urllib3.exceptions.TimeoutError:
            status, found, content = 504, {}, b"the container did not answer in time"
        except urllib3.exceptions.HTTPError as error:
            status, found, content = 503, {}, f"the container cannot be reached: {error}".encode()
        latency_us = round((time.perf_counter() - started) * 1_000_000)
        headers = {name.lower(): value for name, value in found.items()}
        return Reply(status=status, headers=headers, body=content, latency_us=latency_us)

    def stop(self) -> None:
        """End the process group."""
        process = self._process
        if process is None:
            return
        end_group(process)
        kill_group(process)
        if process.stdin is not None:
            process.stdin.close()
        self._pool.close()
        self._reader.join(timeout=2)

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._last_lines.append(line.rstrip("\n"))
                self._on_line(line.rstrip("\n"))
