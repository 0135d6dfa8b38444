"""A container's output: kept in a file, and sent to CloudWatch Logs while it appears."""

import threading
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded.compute.job import ClientFactory

_SEND_EVERY_S = 0.5
_EVENT_LENGTH = 8000
_BATCH_EVENTS = 100  # with the length above, below the megabyte that one PutLogEvents may carry


class LogStream:
    """One log stream of one job. A log service that fails never fails the job: the file notes it.

    Args:
        client: Gives the CloudWatch Logs client.
        group: Log group, made if it is missing, as SageMaker does.
        stream: Log stream.
        path: The file.
    """

    def __init__(self, *, client: ClientFactory, group: str, stream: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._group, self._stream = group, stream
        self._file = path.open("a", encoding="utf-8")
        self._pending: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._client = client
        self._sender = threading.Thread(target=self._run, name=f"logs-{stream}", daemon=True)
        self._sender.start()

    def write(self, line: str) -> None:
        """Add one line."""
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
            if line.strip():  # CloudWatch refuses empty events
                self._pending.append({"timestamp": time.time_ns() // 1_000_000, "message": line[:_EVENT_LENGTH]})

    def close(self) -> None:
        """Send what is left and close the file."""
        self._closed.set()
        self._sender.join(timeout=30)
        with self._lock:
            self._file.close()

    def _run(self) -> None:
        try:
            logs = self._client("logs")
            self._create(logs)
            while not self._closed.wait(_SEND_EVERY_S):
                self._send(logs)
            self._send(logs)
        except (BotoCoreError, ClientError) as error:
            with self._lock:
                self._file.write(f"[embedded AWS] CloudWatch Logs did not take the rest of this stream: {error}\n")

    def _create(self, logs: Any) -> None:
        for create, arguments in (
            (logs.create_log_group, {"logGroupName": self._group}),
            (logs.create_log_stream, {"logGroupName": self._group, "logStreamName": self._stream}),
        ):
            try:
                create(**arguments)
            except logs.exceptions.ResourceAlreadyExistsException:
                continue

    def _send(self, logs: Any) -> None:
        with self._lock:
            events, self._pending = self._pending, []
        for first in range(0, len(events), _BATCH_EVENTS):
            logs.put_log_events(
                logGroupName=self._group, logStreamName=self._stream, logEvents=events[first : first + _BATCH_EVENTS]
            )
