"""`baton trace`: who and what made this, and what came of it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from cli import options
from cli.display import console, print_json
from cli.lineage.stations import Direction, Station, Trace
from cli.lineage.subject import Kind
from cli.lineage.trace import BOTH
from cli.lineage.trace import trace as follow

Subject = Annotated[
    str,
    typer.Argument(
        help="An inference id; a version's number or ARN; a data set's hash or s3:// address; or a commit.",
        metavar="SUBJECT",
    ),
]
SubjectKind = Annotated[Kind | None, typer.Option(help="What the subject is, where its looks mislead.")]
Up = Annotated[bool, typer.Option("--up", help="Only what made it.")]
Down = Annotated[bool, typer.Option("--down", help="Only what came of it.")]
Hours = Annotated[int, typer.Option(help="How far back to look for a prediction.", min=1)]
Picture = Annotated[Path | None, typer.Option(help="Draw it into this SVG file, too.", dir_okay=False)]
HEADINGS: dict[Direction, str] = {"up": "made from", "down": "led to"}


def trace(
    subject: Subject,
    kind: SubjectKind = None,
    up: Up = False,
    down: Down = False,
    hours: Hours = 24,
    picture: Picture = None,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Follow a prediction, a version, a data set or a commit back to its makers, and on to what came of it."""
    directions = BOTH if up == down else ("up",) if up else ("down",)
    platform = options.platform(env, model, embedded=embedded)
    found = follow(platform, subject, kind=kind, directions=directions, hours=hours)
    if picture:
        from cli.lineage.picture import draw

        picture.write_text(draw(found), encoding="utf-8")
    if as_json:
        print_json(found)
        return
    console.print(tree(found, directions))
    for sentence in found.missing:
        console.print(Text(sentence, "yellow"))
    if picture:
        console.print(f"drawn in {picture}")


def tree(found: Trace, directions: tuple[Direction, ...] = BOTH) -> Tree:
    """The subject, below it the ways back, and below them the ways on; each station is told in full once."""
    root = Tree(_label(found.station(found.subject)))
    for direction in directions:
        beside = found.neighbours(found.subject, direction)
        if beside:
            branch = root.add(Text(HEADINGS[direction], "italic"))
            told = {found.subject}
            for key in beside:
                _grow(branch, found, key, direction, told)
    return root


def _grow(branch: Tree, found: Trace, key: str, direction: Direction, told: set[str]) -> None:
    station = found.station(key)
    if key in told:
        branch.add(Text.assemble((station.kind, "bold"), f" {station.name} ", ("(above)", "dim")))
        return
    told.add(key)
    grown = branch.add(_label(station))
    for other in found.neighbours(key, direction):
        _grow(grown, found, other, direction, told)


def _label(station: Station) -> Text:
    label = Text.assemble((station.kind, "bold"), f" {station.name}")
    for name, value in station.facts.items():
        label.append(f"\n{name} ", "dim").append(value)
    return label
