"""The `baton` command: one clear sentence when something goes wrong, never a traceback."""

from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from cli.commands import erase, etl, features, monitor, pin, reproduce, review, share, status, trace, train
from cli.errors import BatonError, sentence


class PlainSpoken(TyperGroup):
    """Turns what can be foreseen to fail into a sentence and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (BatonError, ClientError, BotoCoreError) as error:
            Console(stderr=True, soft_wrap=True).print(Text.assemble(("baton: ", "bold red"), sentence(error)))
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=PlainSpoken,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The operator's day with Baton, against AWS or embedded AWS alike.",
)
app.command()(status.status)
app.add_typer(etl.app, name="etl")
app.command()(erase.erase)
app.add_typer(features.app, name="features")
app.command()(train.train)
app.command()(review.evidence)
app.command()(review.approve)
app.command()(review.reject)
app.command()(pin.pin)
app.command()(pin.unpin)
app.command()(pin.rollback)
app.add_typer(monitor.app, name="monitor")
app.command()(trace.trace)
app.command()(reproduce.reproduce)
app.command()(share.registry)

if __name__ == "__main__":
    app()
