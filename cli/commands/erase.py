"""`baton erase`: a person's right to be forgotten."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from cli import erasure, options
from cli.display import console, print_json

Request = Annotated[str, typer.Option("--request", help="Go on with a request that could not be carried out.")]


def erase(
    request: Request = "",
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Remove the link between a person and their surrogate, and list the data sets that held the surrogate.

    The person's key in the source is asked for, and not taken as an argument, which a shell would remember.
    """
    platform = options.platform(env, model, embedded=embedded)
    name = request or erasure.ask(platform, typer.prompt("key of the person in the source", hide_input=True))
    with console.status(f"erasure {name}") as spinner:
        done = erasure.carry_out(platform, name, meanwhile=lambda state: spinner.update(f"erasure {name}: {state}"))
    if as_json:
        print_json(asdict(done))
        return
    if not done.ordinals:
        console.print("[yellow]unknown[/]: no vault knew this person, so there was nothing to remove")
        return
    told = ", ".join(f"{column} {ordinal}" for column, ordinal in done.ordinals.items())
    console.print(f"[green]erased[/]: {told} stands for nobody now; the report lies at {done.report_uri}")
    table = Table("version", "rows", "data set")
    for version in done.held_in:
        table.add_row(version.run_id, str(version.rows), version.dataset_uri)
    console.print(table if done.held_in else "No published version holds that surrogate.")
