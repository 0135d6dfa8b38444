"""`baton trace`: who and what made this prediction."""

from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from cli import lineage, options
from cli.display import console, print_json

InferenceId = Annotated[str, typer.Argument(help="The inference id that the caller sent along.")]
Hours = Annotated[int, typer.Option(help="How far back to look for it.", min=1)]


def trace(
    inference_id: InferenceId,
    hours: Hours = 24,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Follow one prediction back to its version, data, code and people."""
    stations = lineage.trace(options.platform(env, model, embedded=embedded), inference_id, hours=hours)
    if as_json:
        print_json(stations)
    else:
        console.print(tree(stations))


def tree(stations: list[lineage.Station]) -> Tree:
    """The prediction, and below it one station after the other on the way back."""
    root = Tree(_label(stations[0]))
    for station in stations[1:]:
        root.add(_label(station))
    return root


def _label(station: lineage.Station) -> Text:
    label = Text.assemble((station.kind, "bold"), f" {station.name}")
    for name, value in station.facts.items():
        if value:
            label.append(f"\n{name} ", "dim").append(value)
    return label
