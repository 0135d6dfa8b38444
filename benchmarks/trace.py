"""How long one command takes from a prediction to the commit and its author, on the deployed demo."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.deployed import demo
from benchmarks.measurement import ROOT, Measurement, timed

ROWS, RUNS = 3000, 5
COMMAND = "python -m benchmarks trace"


def measure() -> Iterator[Measurement]:
    """Play the demo and trace one of its predictions, each time as a process of its own."""
    with demo(rows=ROWS) as deployed:
        command = [sys.executable, "-m", "cli.main", "trace", deployed.summary["lineage"][0]["name"], "--json"]
        environment = deployed.environment
        told = json.loads(subprocess.check_output(command, cwd=ROOT, env={**environment, "PATH": ""}, text=True))
        reached = _reached(told)
        seconds = [timed(command, environment)[0] for _ in range(RUNS)]
    yield Measurement(
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
