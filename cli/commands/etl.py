"""`baton etl`: from the source to a new data set, and what every run did."""

from datetime import date, datetime
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from cli import etl, ingestions, options
from cli import quality as judged
from cli.display import console, print_json, table
from cli.errors import BatonError

DAY = ["%Y-%m-%d"]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=DAY, help="The day on which ages are counted; left out, today.")
]
Full = Annotated[bool, typer.Option("--full", help="Read everything, whatever has been read before.")]
First = Annotated[datetime | None, typer.Option("--from", formats=DAY, help="Read again what changed since this day.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=DAY, help="The last day to read again, with --from.")]
Train = Annotated[bool, typer.Option("--train/--no-train", help="Start a training if the data set has changed.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many runs to show.")]
app = typer.Typer(no_args_is_help=True, help="The way from the source into the curated zone.")


@app.command()
def run(
    as_of: AsOf = None,
    full: Full = False,
    first: First = None,
    last: Last = None,
    train: Train = False,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Run an ingestion and wait for it."""
    days = _days(first, last, full=full)
    platform = options.platform(env, model, embedded=embedded)
    arn = etl.start(platform, as_of=as_of.date() if as_of else None, full=full, days=days, train=train)
    if as_json:
        etl.wait(platform, arn)
        print_json(etl.current(platform))
        return
    with Live(console=console, refresh_per_second=4) as live:
        etl.wait(platform, arn, meanwhile=lambda execution: live.update(_steps(execution)))
    dataset = etl.current(platform)
    console.print(f"[green]done[/]: {dataset.rows:,} rows, data set {dataset.hash[:16]} at {dataset.uri}")


@app.command()
def history(
    limit: Limit = 20,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """List the last ingestions, newest first, whoever or whatever started them."""
    lines = ingestions.history(options.platform(env, model, embedded=embedded), limit=limit)
    if as_json:
        print_json(lines)
        return
    table(
        "Ingestions",
        ("when", "by", "mode", "rows", "rejected", "changed", "minutes", "outcome", "reason"),
        (
            (
                line.began,
                line.cause,
                line.mode,
                line.rows,
                line.rejected,
                line.changed,
                line.minutes,
                line.outcome,
                line.reason or line.training or None,
            )
            for line in lines
        ),
    )


@app.command()
def quality(
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """What the quality rules found in the published data set."""
    platform = options.platform(env, model, embedded=embedded)
    report = judged.report(platform)
    if as_json:
        print_json(report)
        return
    rows = ([rule.rule, rule.outcome, rule.failed_rows, rule.detail] for rule in report.rules)
    table(f"data set {report.run_id}", ["rule", "outcome", "rejected rows", "found"], rows, empty="no rule was judged")


def _days(first: datetime | None, last: datetime | None, *, full: bool) -> tuple[date, date] | None:
    """The days of a backfill; None where none was asked for.

    Raises:
        BatonError: They make no backfill.
    """
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise BatonError("a backfill needs its first and its last day: give both --from and --to")
    if full:
        raise BatonError("a full run reads every day already; leave out --full, or --from and --to")
    if first > last:
        raise BatonError(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}")
    return first.date(), last.date()


def _steps(execution: etl.Execution) -> Table:
    grid = Table("step", "seconds", box=None, header_style="dim")
    for step in execution.steps:
        took = "" if step.ended is None else f"{(step.ended - step.started).total_seconds():.1f}"
        grid.add_row(step.name, took)
    return grid
