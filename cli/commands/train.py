"""`baton train`: start the pipeline and watch it."""

import getpass
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from cli import options, training
from cli.display import cell, console, print_json

Author = Annotated[str, typer.Option(help="Whose training this is; kept with the version.")]


def train(
    env: options.Environment = "dev",
    model: options.Model = "",
    author: Author = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a new version on the current data set and follow the steps."""
    platform = options.platform(env, model, embedded=embedded)
    arn = training.start(platform, reason="manual", author=author or getpass.getuser())
    if as_json:
        print_json(training.wait(platform, arn))
        return
    with Live(console=console, refresh_per_second=4) as live:
        training.wait(platform, arn, meanwhile=lambda execution: live.update(_steps(execution)))
    console.print("[green]done[/]: a new version waits for approval; see: baton status")


def _steps(execution: training.Execution) -> Table:
    grid = Table("step", "status", "seconds", box=None, header_style="dim")
    for step in execution.steps:
        took = (step.ended - step.started).total_seconds() if step.started and step.ended else None
        grid.add_row(step.name, cell(step.status), "" if took is None else f"{took:.1f}")
    return grid
