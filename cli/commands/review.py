"""`baton evidence`, `approve` and `reject`: the compliance officer's desk."""

from pathlib import Path
from typing import Annotated

import typer

from cli import evidence as evidences
from cli import options, registry
from cli.display import console, print_json, table
from cli.errors import BatonError
from cli.stacks import Platform
from pipeline_scripts.evidence.findings import AgainstChampion

Number = Annotated[int, typer.Argument(help="The version's number, as `baton status` shows it.", min=1)]
Html = Annotated[Path | None, typer.Option(help="Save the signed page to this file, instead.", dir_okay=False)]
Comment = Annotated[str, typer.Option(help="Why; kept with the version.")]
Stage = Annotated[
    str, typer.Option(help="The environment to decide for, where that takes its versions from another's registry.")
]
OwnRole = Annotated[
    bool, typer.Option("--own-role", help="Decide as yourself; do not take the compliance officer's role.")
]


def evidence(
    number: Number,
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
    html: Html = None,
) -> None:
    """Show what speaks for and against a version."""
    platform = options.platform(env, model, embedded=embedded)
    version = registry.version(platform, number)
    if html:
        html.write_bytes(evidences.page(platform, version))
        console.print(f"the page that was signed: {html.resolve().as_uri()}", soft_wrap=True)
        return
    found = evidences.read(platform, version)
    if as_json:
        print_json(found)
    else:
        show(found)
        console.print(f"[dim]to read and print: baton evidence {number} --html version-{number}.html[/]")


def approve(
    number: Number,
    comment: Comment,
    env: options.Environment = "dev",
    model: options.Model = "",
    stage: Stage = "",
    own_role: OwnRole = False,
    embedded: options.Embedded = False,
) -> None:
    """Approve a version, as the compliance officer: the platform will serve it."""
    _decide("Approved", number, comment, _desk(env, model, stage, embedded=embedded), own_role=own_role)


def reject(
    number: Number,
    comment: Comment,
    env: options.Environment = "dev",
    model: options.Model = "",
    stage: Stage = "",
    own_role: OwnRole = False,
    embedded: options.Embedded = False,
) -> None:
    """Reject a version, as the compliance officer: the platform will never serve it."""
    _decide("Rejected", number, comment, _desk(env, model, stage, embedded=embedded), own_role=own_role)


def _desk(env: str, model: str, stage: str, *, embedded: bool) -> Platform:
    """Where the decision is made: in the environment of a stage, whose officer alone may make it."""
    platform = options.platform(stage or env, model, embedded=embedded)
    if stage and not platform.stages:
        raise BatonError(f"{stage} takes no versions from another environment; decide there: --env {stage}")
    return platform


def _decide(decision: registry.Decision, number: int, comment: str, platform: Platform, *, own_role: bool) -> None:
    chosen = registry.version(platform, number)
    role = None if own_role else platform.output("governance", "ComplianceOfficerRoleArn")
    registry.decide(platform, chosen, decision, comment=comment, role_arn=role, person=platform.caller())
    where = f" for {platform.environment}" if platform.stages else ""
    before = registry.word_on(platform, chosen)
    console.print(f"version {number} of {platform.model} is now [bold]{decision}[/]{where} (it was {before})")


def show(found: evidences.Evidence) -> None:
    """Print evidence as tables."""
    verdict = "[green]passed the gate[/]" if found.passed else "[bold red]did not pass the gate[/]"
    console.print(f"version [bold]{found.version.number}[/] {verdict}: {found.reasons}\n")
    numbers = {name: value for name, value in found.evaluation.items() if isinstance(value, int | float)}
    table("Hold-out", ("metric", "value"), numbers.items())
    table(
        "Gate",
        ("check", "", "value", "bound", "why not"),
        ((c.name, c.verdict, c.value, c.bound, "" if c.passed else c.said) for c in found.checks),
    )
    if found.comparison:
        show_comparison(found.comparison)
    table(
        "Bias after training",
        ("group", "metric", "is", "which is"),
        ((f"{m.facet} = {m.facet_value}", m.name, m.value, m.description) for m in found.bias if m.phase == "post"),
    )
    table("Attributions (mean |SHAP|)", ("feature", "value"), found.attributions.items())


def show_comparison(found: AgainstChampion) -> None:
    """Print the comparison with the champion as a table."""
    sure = f"{found.confidence * 100:g} %"
    table(
        f"Against version {found.champion}, the champion",
        (found.metric, "value"),
        (
            ("this version", found.challenger),
            ("the champion", found.champion_value),
            ("difference", found.difference),
            (f"at least, with {sure}", found.low),
            (f"at most, with {sure}", found.high),
            (f"p, of losing more than {found.max_loss:g}", found.p_value),
            ("rows, the same for both", found.rows),
        ),
    )
