"""`make bench`: runs every benchmark, keeps each figure as JSON and prints them as a table."""

from rich.console import Console
from rich.table import Table

from benchmarks import demonstration, extraction, malformed_input, synthesis


def main() -> None:
    """Measure everything and show it."""
    table = Table()
    for column in ("figure", "value", "unit"):
        table.add_column(column, no_wrap=True)
    table.add_column("command", overflow="fold")
    console = Console()
    for benchmark in (synthesis, malformed_input, extraction, demonstration):
        with console.status(f"measuring {benchmark.__name__}"):
            for measurement in benchmark.measure():
                measurement.write()
                table.add_row(measurement.name, f"{measurement.value:g}", measurement.unit, measurement.command)
    console.print(table)


if __name__ == "__main__":
    main()
