"""The options that every command shares."""

from typing import Annotated

import typer

from cli.connection import Connection, connect
from cli.stacks import Platform

Environment = Annotated[str, typer.Option("--env", "-e", help="dev, staging or prod.")]
Model = Annotated[str, typer.Option("--model", "-m", help="The model's name; needless while there is one.")]
Embedded = Annotated[bool, typer.Option("--embedded", help="Ask the embedded AWS that runs here instead of AWS.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def connection(*, embedded: bool) -> Connection:
    """Where a command asks."""
    return connect(embedded=embedded)


def platform(environment: str, model: str, *, embedded: bool) -> Platform:
    """The platform that a command was asked about."""
    return Platform(connection(embedded=embedded), environment, model)
