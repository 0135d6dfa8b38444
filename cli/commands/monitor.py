"""`baton monitor run`: watch now, over a window of your own."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli import monitors, options
from cli.display import console, print_json, table

app = typer.Typer(no_args_is_help=True, help="Data quality, model quality, bias and attributions of what is served.")
Name = Annotated[
    str | None, typer.Argument(help="One of data_quality, model_quality, bias, explainability; left out: all.")
]
Minutes = Annotated[int, typer.Option(help="How far back the window reaches.", min=1, max=60 * 24 * 7)]


@app.callback()
def group() -> None:
    """Keep `run` a command of its own, for others will join it."""


@app.command()
def run(
    name: Name = None,
    minutes: Minutes = 60,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Run monitors over the traffic of the last minutes and show their violations."""
    platform = options.platform(env, model, embedded=embedded)
    end = datetime.now(UTC)
    names = [name.replace("-", "_")] if name else list(monitors.SCHEDULE_OUTPUTS)
    window = {"window_start": end - timedelta(minutes=minutes), "window_end": end}
    jobs = {monitor: monitors.start(platform, monitor, **window) for monitor in names}
    with console.status(f"{len(jobs)} monitors at work"):
        results = [monitors.wait(platform, monitor, job) for monitor, job in jobs.items()]
    if as_json:
        print_json(results)
        return
    table(
        "Monitors",
        ("monitor", "violations", "says"),
        ((r.monitor, len(r.violations) if r.answered else None, r.message) for r in results),
    )
    violations = [
        (r.monitor, monitors.subject(v), v["constraint_check_type"], v["description"])
        for r in results
        for v in r.violations
    ]
    table("Violations", ("monitor", "of", "check", "what"), violations, empty="none")
