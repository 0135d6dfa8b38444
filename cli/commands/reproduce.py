"""`baton reproduce`: make a version once more, and see whether it comes out the same."""

import time
from typing import Annotated

import typer

from cli import options, registry, reproduction
from cli.display import console, print_json, table

Number = Annotated[int, typer.Argument(help="The number of the version.", min=1)]
Run = Annotated[str, typer.Option(help="Go on with a run that was begun: its name, as printed.")]


def reproduce(
    number: Number,
    env: options.Environment = "dev",
    model: options.Model = "",
    run: Run = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a version again with its recorded code, data set and parameters; say byte-equal, or what differs."""
    platform = options.platform(env, model, embedded=embedded)
    version = registry.version(platform, number)
    run = run or format(int(time.time()), "x")
    every = 0.5 if embedded else 5.0
    if as_json:
        made = reproduction.reproduce(platform, version, run=run, every=every)
        print_json(made)
    else:
        with console.status(f"run {run}: starting") as status:
            made = reproduction.reproduce(
                platform,
                version,
                run=run,
                every=every,
                meanwhile=lambda present: status.update(f"run {run}: {present.stage}"),
            )
        _show(made)
    if not made.equal:
        raise typer.Exit(1)


def _show(made: reproduction.Reproduction) -> None:
    table(
        f"Version {made.version}, made again from commit {made.commit[:12]} and data set {made.dataset_hash[:12]}",
        ("file", "recorded", "made again", "same"),
        ((file.name, _short(file.recorded), _short(file.made), file.recorded == file.made) for file in made.files),
    )
    if made.equal:
        console.print(
            f"[green]byte-equal[/]: all {len(made.files)} files of the artefact are those of version {made.version}"
        )
    else:
        differing = [file.name for file in made.files if file.recorded != file.made]
        console.print(f"[red]different[/]: {', '.join(differing)}; what was made lies at {made.artifact_uri}")


def _short(sha256: str | None) -> str:
    return sha256[:16] if sha256 else "no such file"
