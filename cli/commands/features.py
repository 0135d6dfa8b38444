"""`baton features get`: what the Feature Store knows of a person now."""

from typing import Annotated

import typer

from cli import features, options
from cli.display import print_json, table

Refs = Annotated[list[str], typer.Argument(metavar="CUSTOMER_REF…", help="Surrogates, as the curated zone has them.")]
app = typer.Typer(no_args_is_help=True, help="The model's inputs in the Feature Store.")


@app.callback()
def group() -> None:
    """Keep `get` a command of its own, for others will join it."""


@app.command()
def get(
    refs: Refs,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Look up online records by their surrogates."""
    found = features.get(options.platform(env, model, embedded=embedded), refs)
    if as_json:
        print_json(found)
        return
    for person in found:
        lines = list((person.values or {}).items()) + ([("expires", person.expires)] if person.expires else [])
        table(person.customer_ref, ("feature", "value"), lines, empty="no record online")
