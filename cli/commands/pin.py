"""`baton pin`, `unpin` and `rollback`: which of the approved versions serves."""

from collections.abc import Callable
from typing import Annotated, Literal

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


def _of_no_version(action: Literal["unpin", "rollback"], what: str) -> Callable[..., None]:
    """A command that names no version: the function that it calls finds it."""

    def command(
        env: options.Environment = "dev",
        model: options.Model = "",
        reason: Reason = "",
        embedded: options.Embedded = False,
        as_json: options.AsJson = False,
    ) -> None:
        platform = options.platform(env, model, embedded=embedded)
        _tell(platform, pins.change(platform, action, reason=reason), as_json=as_json)

    command.__name__, command.__doc__ = action, what
    return command


unpin = _of_no_version("unpin", "Let the highest approved version serve again.")
rollback = _of_no_version("rollback", "Go back to the last good version before the one that serves, and pin it.")


def _tell(platform: Platform, changed: pins.Changed, *, as_json: bool) -> None:
    if as_json:
        print_json(changed)
        return
    what = "no version is pinned" if changed.pinned is None else f"version [bold]{changed.pinned}[/] is pinned"
    console.print(f"{what} for {platform.model}; the endpoint follows, see: baton status")
