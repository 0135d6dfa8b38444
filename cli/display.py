"""How commands print: tables for people, JSON for programs."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console()
ROOMY = 110
STATES = {
    "Approved": "green",
    "Succeeded": "green",
    "Completed": "green",
    "InService": "green",
    "OK": "green",
    "PASS": "green",
    "succeeded": "green",
    "yes": "green",
    "passed": "green",
    "PendingManualApproval": "yellow",
    "Executing": "yellow",
    "Updating": "yellow",
    "running": "yellow",
    "INSUFFICIENT_DATA": "dim",
    "skipped": "dim",
    "Rejected": "red",
    "Failed": "red",
    "FAIL": "red",
    "ALARM": "bold red",
    "failed": "bold red",
    "lost": "bold red",
}


def print_json(content: Any) -> None:
    """Print data as JSON on standard output, with nothing around it."""
    print(json.dumps(plain(content), indent=2))


def plain(content: Any) -> Any:
    """Dataclasses and times as JSON has them."""
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        return plain(dataclasses.asdict(content))
    if isinstance(content, dict):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    return content.isoformat() if isinstance(content, datetime) else content


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "nothing yet") -> None:
    """Print rows as a table; states in their colour."""
    grid = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    # The last column says things in words and may take several lines, as all may where there is no room.
    roomy = console.width >= ROOMY
    for column in columns:
        grid.add_column(column, overflow="fold", no_wrap=roomy and column is not columns[-1])
    count = 0
    for row in rows:
        grid.add_row(*(cell(value) for value in row))
        count += 1
    console.print(grid if count else Text.assemble((f"{title}: ", "bold"), (empty, "dim")))
    console.print()


def cell(value: Any) -> Text:
    """One value as a table shows it."""
    if value is None:
        return Text("-", "dim")
    if isinstance(value, bool):
        return Text("yes", "green") if value else Text("no", "dim")
    if isinstance(value, float):
        return Text(f"{value:g}" if value.is_integer() else f"{value:.4f}")
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M:%S}")
    return Text(str(value), STATES.get(str(value), ""))
