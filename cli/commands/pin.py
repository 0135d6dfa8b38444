"""`baton pin`, `unpin` and `rollback`: which of the approved versions serves."""

from typing import Annotated

import typer

from cli import options, pins
from cli.display import console, print_json
from cli.stacks import Platform

Number = Annotated[int, typer.Argument(help="The version's number, as `baton status` shows it.", min=1)]
Reason = Annotated[str, typer.Option(help="Why; kept with the pin.")]


def pin(
    number: Number,
    env: options.Environment = "dev",
    model: options.Model = "",
    reason: Reason = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Serve this approved version, whatever else is approved, until it is unpinned."""
    platform = options.platform(env, model, embedded=embedded)
    _tell(platform, pins.change(platform, "pin", version=number, reason=reason), as_json=as_json)


def unpin(
    env: options.Environment = "dev",
    model: options.Model = "",
    reason: Reason = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Let the highest approved version serve again."""
    platform = options.platform(env, model, embedded=embedded)
    _tell(platform, pins.change(platform, "unpin", reason=reason), as_json=as_json)


def rollback(
    env: options.Environment = "dev",
    model: options.Model = "",
    reason: Reason = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Go back to the last good version before the one that serves, and pin it."""
    platform = options.platform(env, model, embedded=embedded)
    _tell(platform, pins.change(platform, "rollback", reason=reason), as_json=as_json)


def _tell(platform: Platform, changed: pins.Changed, *, as_json: bool) -> None:
    if as_json:
        print_json(changed)
        return
    what = "no version is pinned" if changed.pinned is None else f"version [bold]{changed.pinned}[/] is pinned"
    console.print(f"{what} for {platform.model}; the endpoint follows, see: baton status")
