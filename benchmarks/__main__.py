"""`make bench`: runs every benchmark, keeps each figure as JSON and prints them as a table.

`python -m benchmarks NAME …` runs those alone.
"""

import importlib
import sys

from rich.console import Console
from rich.table import Table

NAMES = (
    "synthesis",
    "demonstration",
    "etl_wide_table",
    "personal_values",
    "crashes",
    "watermarks",
    "malformed_input",
    "extraction",
    "pipeline_overhead",
    "version_changes",
    "retraining",
    "attributions",
    "fault_battery",
    "malformed_events",
    "malformed_requests",
    "serving_speed",
    "tampering",
    "self_approval",
    "trace",
)


def main(chosen: list[str]) -> None:
    """Measure everything, or what was chosen, and show it."""
    table = Table()
    for column in ("figure", "value", "unit"):
        table.add_column(column, no_wrap=True)
    table.add_column("command", overflow="fold")
    console = Console()
    for name in chosen or NAMES:
        benchmark = importlib.import_module(f"benchmarks.{name}")
        with console.status(f"measuring {name}"):
            for measurement in benchmark.measure():
                measurement.write()
                table.add_row(measurement.name, f"{measurement.value:g}", measurement.unit, measurement.command)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
