"""Embedded AWS for a program: one process that answers the AWS APIs on this machine, for as long as it is needed."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedded.front.clients import Clients, environment

ACCOUNT = "000000000000"
_ROOT = Path(__file__).resolve().parent.parent
_START_LIMIT = 60.0
_STOP_LIMIT = 15.0


class StartFailed(Exception):
    """Embedded AWS did not start; the message holds what it said last."""


class EmbeddedAws:
    """A context manager around the process: it runs inside the `with`, and with it all that it started.

    Args:
        state: The folder that holds its log, its jobs' folders and the CDK's caches; made if absent.
        region: The one region it stands for.
        clock: Whether schedules fire by the clock. Off by default: whoever tries the platform starts
            what a schedule would start, at the moment that suits.
    """

    def __init__(self, state: Path, *, region: str = "eu-west-1", clock: bool = False) -> None:
        self._state = state.resolve()
        self.region = region
        self._clock = clock
        # Its own access key for each folder: the CDK CLI remembers which account a key belongs to.
        self.access_key = f"BATON{hashlib.sha256(str(self._state).encode()).hexdigest()[:15].upper()}"
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: Clients | None = None

    @property
    def state(self) -> Path:
        """The folder it works in."""
        return self._state

    @property
    def log(self) -> Path:
        """What the process says."""
        return self._state / "server.log"

    def environment(self) -> dict[str, str]:
        """What the AWS SDKs, the AWS CLI and the CDK need in their environment to talk to it."""
        return {
            **environment(url=self.url, access_key=self.access_key, region=self.region),
            "CDK_HOME": str(self._state / "cdk"),
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": self.region,
        }

    def client(self, service: str) -> Any:
        """A boto3 client bound to it; made once per service."""
        if self._clients is None:
            raise RuntimeError("embedded AWS has not been started: use it in a with statement")
        return self._clients(service)

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            StartFailed: It ended, or did not answer in time.
        """
        self.start(detached=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it and all that it started."""
        self.stop()

    def start(self, *, detached: bool) -> int:
        """Start the process; a detached one outlives this program. Answers its process id."""
        port = _free_port()
        self._state.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(port, detached=detached),
                cwd=_ROOT,
                env=_clean_environment(),
                stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise
        self._clients = Clients(url=self.url, access_key=self.access_key, region=self.region)
        return self._process.pid

    def stop(self) -> None:
        """Stop the process; what does not end in time is killed, with the whole of its process group."""
        process, self._process = self._process, None
        self._clients = None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        end_group(process.pid, wait=lambda: _ended(process))

    def _command(self, port: int, *, detached: bool) -> list[str]:
        options = {
            "--port": str(port),
            "--state": str(self._state),
            "--region": self.region,
            "--account": ACCOUNT,
            "--access-key": self.access_key,
        }
        command = [sys.executable, "-m", "embedded.launcher"]
        for name, value in options.items():
            command += [name, value]
        command += ["--detached"] if detached else []
        return command + (["--clock"] if self._clock else [])

    def _wait_until_it_answers(self) -> None:
        process = self._process
        assert process is not None
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise StartFailed(f"Embedded AWS ended with code {process.returncode}. {self._last_words()}")
            if answers(self.url):
                return
            time.sleep(0.05)
        raise StartFailed(f"Embedded AWS did not answer within {_START_LIMIT:.0f} s. {self._last_words()}")

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return f"Its log {self.log} ends:\n" + "\n".join(lines)


def answers(url: str) -> bool:
    """Whether embedded AWS answers at this address."""
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2) as response:
            return bool(json.load(response))
    except (OSError, ValueError, urllib.error.URLError):
        return False


def end_group(pid: int, *, wait: Any) -> None:
    """End the process group that a launcher leads: first by asking, then by force.

    Args:
        pid: The launcher's process id, which is its group's too.
        wait: Tells whether the launcher has ended.
    """
    deadline = time.monotonic() + _STOP_LIMIT
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while not wait() and time.monotonic() < deadline:
            time.sleep(0.02)
    # Whatever the launcher left behind; nobody else is in its group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _ended(process: "subprocess.Popen[bytes]") -> bool:
    return process.poll() is not None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _clean_environment() -> Mapping[str, str]:
    """This program's environment without what would point the process at another AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_"))}
