"""`baton etl run`: from the source to a new data set."""

from datetime import datetime
from typing import Annotated

import typer

from cli import etl, options
from cli import quality as judged
from cli.display import console, print_json, table

AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day on which ages are counted; left out, today."),
]
app = typer.Typer(no_args_is_help=True, help="The way from the source into the curated zone.")


@app.callback()
def group() -> None:
    """Keep `run` a command of its own, for others will join it."""


@app.command()
def run(
    as_of: AsOf = None,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Run the ETL job and wait for it."""
    platform = options.platform(env, model, embedded=embedded)
    run_id = etl.start(platform, as_of=as_of.date() if as_of else None)
    with console.status(f"job run {run_id}") as spinner:
        etl.wait(platform, run_id, meanwhile=lambda state: spinner.update(f"job run {run_id}: {state}"))
    dataset = etl.current(platform)
    if as_json:
        print_json(dataset)
    else:
        console.print(f"[green]done[/]: {dataset.rows:,} rows, data set {dataset.hash[:16]} at {dataset.uri}")


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
