"""The demo, played and left running, for figures that need a deployed platform."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measurement import ROOT
from embedded import presence


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What points an SDK at the embedded AWS, and the figures of the demo."""

    environment: dict[str, str]
    summary: dict[str, Any]


@contextmanager
def demo(*, rows: int) -> Iterator[Deployed]:
    """Play the demo with so many customers; its embedded AWS ends with the block."""
    with tempfile.TemporaryDirectory() as scratch:
        build = Path(scratch)
        command = [sys.executable, "-m", "embedded.demo", "--rows", str(rows), "--keep", "--build", scratch]
        try:
            played = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
            if played.returncode != 0:
                raise RuntimeError(f"the demo broke off:\n{played.stdout[-2000:]}\n{played.stderr[-2000:]}")
            yield Deployed(
                environment=_read(build / "embedded" / "endpoint.json")["environment"],
                summary=_read(build / "demo" / "summary.json"),
            )
        finally:
            presence.stop_running(build / "embedded")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
