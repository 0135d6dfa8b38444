"""How long one command takes from a prediction to the commit and its author, on the deployed demo."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measurement import ROOT, Measurement, timed
from embedded import presence

ROWS, RUNS = 3000, 5
COMMAND = "python -m benchmarks trace"


def measure() -> Iterator[Measurement]:
    """Play the demo, leave its embedded AWS running, and trace one of its predictions as a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        build = Path(scratch)
        demo = [sys.executable, "-m", "embedded.demo", "--rows", str(ROWS), "--keep", "--build", scratch]
        try:
            subprocess.run(demo, cwd=ROOT, check=True, capture_output=True)
            yield _measured(build)
        finally:
            presence.stop_running(build / "embedded")


def _measured(build: Path) -> Measurement:
    environment = json.loads((build / "embedded" / "endpoint.json").read_text(encoding="utf-8"))["environment"]
    summary = json.loads((build / "demo" / "summary.json").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "cli.main", "trace", summary["lineage"][0]["name"], "--json"]
    told = json.loads(subprocess.check_output(command, cwd=ROOT, env={**environment, "PATH": ""}, text=True))
    reached = _reached(told)
    seconds = [timed(command, environment)[0] for _ in range(RUNS)]
    return Measurement(
        name="trace_seconds",
        value=round(statistics.median(seconds), 3),
        unit="s",
        command=COMMAND,
        detail={"runs": [round(value, 3) for value in seconds], **reached},
    )


def _reached(told: dict[str, Any]) -> dict[str, Any]:
    """Where the trace ended; a trace that lacks something is not worth timing."""
    [code] = [station for station in told["stations"] if station["kind"] == "code"]
    if not code["facts"]["author"] or told["missing"]:
        raise RuntimeError(f"the trace does not lead to a commit and its author: {told['missing'] or code}")
    return {"commit": code["name"], "author": code["facts"]["author"], "stations": len(told["stations"])}
