"""How long the templates take: one environment, all of them, and all of them under the CDK's own validation."""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator

from benchmarks.measurement import Measurement, timed

ROUNDS = 3


def measure() -> Iterator[Measurement]:
    """Synthesise each variant a few times, in turn, with a warm jsii cache, and give the medians."""
    variants = {
        "synth_one_environment_s": ({"environment": "dev"}, "false"),
        "synth_all_environments_s": ({}, "false"),
        "synth_all_environments_validated_s": ({}, "true"),
    }
    walls: dict[str, list[float]] = {name: [] for name in variants}
    peak = 0.0
    for _ in range(ROUNDS):
        for name, (context, validation) in variants.items():
            with tempfile.TemporaryDirectory() as folder:
                environment = {
                    "CDK_CONTEXT_JSON": json.dumps(context),
                    "CDK_OUTDIR": folder,
                    "CDK_VALIDATION": validation,
                }
                wall, peak = timed([sys.executable, "app.py"], environment)
            walls[name].append(wall)
    for name, (context, validation) in variants.items():
        command = f"CDK_VALIDATION={validation} CDK_CONTEXT_JSON='{json.dumps(context)}' python app.py"
        yield Measurement(
            name=name,
            value=round(statistics.median(walls[name]), 2),
            unit="s",
            command=command,
            detail={"runs": walls[name]},
        )
    yield Measurement(
        name="synth_peak_memory_mib",
        value=round(peak),
        unit="MiB",
        command="python app.py",
        detail={"of": "largest process"},
    )
