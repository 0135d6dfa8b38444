"""What the last `make demo` measured, one figure a file."""

import json
from collections.abc import Iterator

from benchmarks.measurement import ROOT, Measurement

SUMMARY = ROOT / "build" / "demo" / "summary.json"
UNITS = {
    "auc": "",
    "approve_to_serving_s": "s",
    "personal_values_found": "values",
    "resource_types_declared": "types",
    "resource_types_described": "types",
    "violations_quiet": "violations",
    "violations_drifted": "violations",
    "wall_s": "s",
}


def measure() -> Iterator[Measurement]:
    """Read build/demo/summary.json; nothing where no demo has run."""
    if not SUMMARY.is_file():
        return
    summary = json.loads(SUMMARY.read_text(encoding="utf-8"))
    for name, unit in UNITS.items():
        yield Measurement(
            name=f"demo_{name}",
            value=summary[name],
            unit=unit,
            command="make demo",
            detail=summary.get("acts", {}),
        )
