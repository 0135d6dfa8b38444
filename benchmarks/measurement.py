"""One measured figure and how it is kept."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "build" / "bench"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A figure, its unit, and the command that prints it again."""

    name: str
    value: float
    unit: str
    command: str
    detail: dict[str, Any] = field(default_factory=dict)

    def write(self) -> None:
        """Keep the figure as build/bench/NAME.json."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{self.name}.json").write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


@contextmanager
def unheard() -> Iterator[None]:
    """Keep to itself what the handlers print: their logs, and metrics in CloudWatch's embedded format."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield


def timed(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run `command` to its end.

    Returns:
        Wall time in seconds, and the peak memory in MiB of the largest single process it started so far.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    started = time.perf_counter()
    binaries = str(Path(sys.executable).parent)
    full = {**os.environ, **environment, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, cwd=ROOT, env=full, check=True, capture_output=True)
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
