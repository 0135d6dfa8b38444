"""`baton status`: where everything stands."""

from datetime import UTC, datetime
from typing import Any

from cli import evidence, ingestions, monitors, options, pins, registry, training
from cli.alarms import alarms
from cli.display import console, print_json, table
from cli.serving import serving
from cli.stacks import Platform


def status(
    env: options.Environment = "dev",
    model: options.Model = "",
    embedded: options.Embedded = False,
    as_json: options.AsJson = False,
) -> None:
    """Show the last ingestion, versions, endpoint, last training, monitors and alarms."""
    facts = gather(options.platform(env, model, embedded=embedded))
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def gather(platform: Platform) -> dict[str, Any]:
    """All that the command shows."""
    served = serving(platform)
    newest = [] if platform.stages else training.executions(platform, limit=1)
    return {
        "model": platform.model,
        "environment": platform.environment,
        "endpoint": served,
        "pinned": pins.pinned(platform, served.endpoint),
        "last_ingestion": next(iter(ingestions.history(platform, limit=1)), None),
        "versions": [
            {
                "version": version,
                "decided": registry.word_on(platform, version),
                "quality": evidence.quality(platform, version),
                "serving": version.arn == served.package_arn,
            }
            for version in registry.versions(platform, limit=20)
        ],
        "last_training": training.execution(platform, newest[0]) if newest else None,
        "monitors": {name: monitors.latest(platform, name) for name in monitors.SCHEDULE_OUTPUTS},
        "alarms": alarms(platform),
    }


def _print(facts: dict[str, Any]) -> None:
    served, last = facts["endpoint"], facts["last_training"]
    console.print(
        f"[bold]{facts['model']}[/] in [bold]{facts['environment']}[/]: endpoint {served.endpoint} is {served.status}\n"
    )
    if pin := facts["pinned"]:
        why = f": {pin.reason}" if pin.reason else ""
        console.print(f"version [bold]{pin.version}[/] is pinned, by {pin.by} on {pin.at:%Y-%m-%d %H:%M}{why}\n")
    table("Last ingestion", ("began", "hours ago", "rows", "outcome", "reason"), _ingestion(facts["last_ingestion"]))
    table(
        "Versions",
        ("version", "approval", "stage", "quality", "serving", "commit", "author", "created", "decided by"),
        (
            (
                entry["version"].number,
                entry["version"].status,
                f"{entry['version'].stage} {entry['version'].stage_status}".strip() or None,
                entry["quality"],
                entry["serving"],
                entry["version"].commit[:12],
                entry["version"].author,
                entry["version"].created,
                entry["version"].decided_by or None,
            )
            for entry in facts["versions"]
        ),
    )
    for entry in facts["versions"]:
        if entry["decided"] == registry.PENDING:
            number = entry["version"].number
            console.print(f"version {number} waits: [bold]baton evidence {number} --html version-{number}.html[/]")
    table("Last training", ("step", "status"), ((step.name, step.status) for step in (last.steps if last else ())))
    table("Monitors", ("monitor", "violations", "at", "says"), (_monitor(*item) for item in facts["monitors"].items()))
    ringing = [alarm for alarm in facts["alarms"] if alarm.state == "ALARM"]
    table(
        "Alarms",
        ("alarm", "state", "why"),
        ((a.name, a.state, a.reason) for a in ringing),
        empty=f"none of {len(facts['alarms'])} rings",
    )


def _ingestion(last: ingestions.Ingestion | None) -> list[tuple[Any, ...]]:
    if last is None:
        return []
    age = (datetime.now(UTC) - last.began).total_seconds() / 3600
    return [(last.began, f"{age:.1f}", last.rows, last.outcome, last.reason or None)]


def _monitor(name: str, last: monitors.MonitorResult | None) -> tuple[Any, ...]:
    if last is None:
        return name, None, None, "has not run"
    return name, len(last.violations) if last.answered else None, last.ended, last.message
