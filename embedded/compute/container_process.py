"""One container as a process group: started, watched, timed, and ended with everything it started."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_GRACE_S = 5.0  # between SIGTERM and SIGKILL; SageMaker waits 120 s, which nobody wants to wait here


@dataclass(frozen=True, kw_only=True)
class ProcessEnd:
    """How the process ended: its exit code, and whether it was this class that ended it, and why."""

    exit_code: int
    timed_out: bool
    stopped: bool


class ContainerProcess:
    """Runs one command.

    Args:
        command: Program and arguments.
        environment: All of the process's environment.
        folder: Its working directory.
        on_line: Gets each line of its output and errors.
    """

    def __init__(
        self,
        *,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        on_line: Callable[[str], None],
    ) -> None:
        self._command, self._environment, self._folder = list(command), dict(environment), folder
        self._on_line = on_line
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def run(self, *, limit_s: float | None) -> ProcessEnd:
        """Start it and wait for its end, or end it after `limit_s` seconds.

        Raises:
            OSError: The program cannot be started.
        """
        with self._lock:
            if self._stopped:
                return ProcessEnd(exit_code=-signal.SIGTERM, timed_out=False, stopped=True)
            self._process = process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        reader.start()
        timed_out = False
        try:
            process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            timed_out = True
            end_group(process)
        finally:
            kill_group(process)  # a container's end is the end of all that it started
        reader.join(timeout=_GRACE_S)
        return ProcessEnd(exit_code=process.returncode, timed_out=timed_out, stopped=self._stopped and not timed_out)

    def stop(self) -> None:
        """End it; `run` then returns. Before `run`, it is never started."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            end_group(process)

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._on_line(line.rstrip("\n"))


def end_group(process: "subprocess.Popen[str]") -> None:
    """Ask a process group to end, and kill what is left of it after a grace period."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        try:
            process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            kill_group(process)
            process.wait()


def kill_group(process: "subprocess.Popen[str]") -> None:
    """Kill whatever still runs in the process's group."""
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return  # the whole group has ended
