"""What came of the demo: a summary for programs and a page for people."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.evidence import Evidence
from cli.lineage.picture import draw
from cli.lineage.stations import Trace
from cli.monitors import MonitorResult
from cli.registry import Version
from cli.report import facts
from cli.report.page import render
from cli.reproduction import Reproduction
from cli.stacks import Platform
from cli.training import Execution
from embedded.demo.acts import Approval, violations
from embedded.demo.search import Searched
from pipeline_scripts.evidence.findings import AgainstChampion

CAVEAT = (
    "This run was on embedded AWS, on one machine: it shows that the wiring works. It does not prove what "
    "only AWS can: IAM's enforcement, networking, timing, scaling and cost."
)


@dataclass(frozen=True, kw_only=True)
class Types:
    """The resource types of the deployed templates, and those whose every resource was described back."""

    declared: int
    described: int
    resources: int


@dataclass(frozen=True, kw_only=True)
class Performance:
    """What the acts left behind."""

    title: str
    types: Types
    rows: int
    execution: Execution
    evidence: Evidence
    approval: Approval
    answers: int
    quiet: tuple[MonitorResult, ...]
    drifted: tuple[MonitorResult, ...]
    alarm: str
    retrained: Version
    comparison: AgainstChampion
    reproduced: Reproduction
    lineage: Trace
    searched: Searched
    endpoint_url: str
    served_arn: str


def summary(platform: Platform, played: Performance, *, timings: dict[str, float], wall: float) -> dict[str, Any]:
    """The figures, for programs."""
    return {
        played.evidence.quality.metric: played.evidence.quality.value,
        "approve_to_serving_s": round(played.approval.seconds, 2),
        "personal_values_found": played.searched.values_found,
        "personal_values_searched": played.searched.values,
        "objects_searched": played.searched.objects,
        "log_events_searched": played.searched.log_events,
        "resource_types_declared": played.types.declared,
        "resource_types_described": played.types.described,
        "resources": played.types.resources,
        "violations_quiet": violations(played.quiet),
        "violations_drifted": violations(played.drifted),
        "alarm": played.alarm,
        "retrained_version": {
            "number": played.retrained.number,
            "arn": played.retrained.arn,
            "status": played.retrained.status,
            "comparison": asdict(played.comparison),
        },
        "endpoint_url": played.endpoint_url,
        "wall_s": round(wall, 1),
        "versions": [
            {
                "version": row.version.number,
                "arn": row.version.arn,
                "status": row.version.status,
                "commit": row.version.commit,
                "dataset_hash": row.version.dataset_hash,
                "author": row.version.author,
                "reason": row.version.reason,
                "quality": None if row.quality is None else asdict(row.quality),
                "serving": row.serving,
            }
            for row in facts.versions(platform, played.served_arn)
        ],
        "reproduced": asdict(played.reproduced),
        "lineage": [asdict(station) for station in played.lineage.stations],
        "lineage_missing": list(played.lineage.missing),
        "acts": timings,
    }


def page(platform: Platform, played: Performance, *, timings: dict[str, float]) -> str:
    """The HTML page."""
    version = played.approval.version
    return render(
        facts.Report(
            title=played.title,
            environment=platform.environment,
            made=f"{datetime.now():%-d %B %Y, %H:%M}",
            evidence=played.evidence,
            execution=played.execution,
            versions=facts.versions(platform, played.served_arn),
            figures=_figures(played),
            stations=_stations(played),
            drift=facts.drift(
                platform, version, {"ordinary traffic": played.quiet, "after the change": played.drifted}
            ),
            lineage=played.lineage.stations,
            timings=timings,
            caveat=CAVEAT,
        )
    )


def write(folder: Path, *, figures: dict[str, Any], html: str, evidence: bytes, lineage: Trace) -> None:
    """Leave all where people and programs look for them; `evidence` is the signed page of the version that serves."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(html, encoding="utf-8")
    (folder / "evidence.html").write_bytes(evidence)
    (folder / "lineage.svg").write_text(draw(lineage), encoding="utf-8")


def _figures(played: Performance) -> tuple[facts.Figure, ...]:
    types, searched, quality = played.types, played.searched, played.evidence.quality
    return (
        facts.Figure(
            label=f"{quality.metric.upper()} on the hold-out",
            value=f"{quality.value:.3f}",
            note=_interval(played.evidence),
        ),
        facts.Figure(
            label="approval to serving", value=f"{played.approval.seconds:.1f} s", note="by the reconcile workflow"
        ),
        facts.Figure(
            label="personal values found",
            value=str(searched.values_found),
            note=f"of {searched.values:,}, in {searched.objects:,} objects and {searched.log_events:,} log events",
        ),
        facts.Figure(
            label="resource types described back",
            value=f"{types.described} of {types.declared}",
            note=f"{types.resources} resources, each through its own service",
        ),
        facts.Figure(label="violations, ordinary traffic", value=str(violations(played.quiet)), note="four monitors"),
        facts.Figure(
            label="violations, after the change", value=str(violations(played.drifted)), note="the same monitors"
        ),
        facts.Figure(
            label="made once more",
            value="byte-equal" if played.reproduced.equal else "different",
            note=f"version {played.reproduced.version}, {len(played.reproduced.files)} files",
        ),
        facts.Figure(
            label="retrained by the alarm", value=f"version {played.retrained.number}", note="waits for approval"
        ),
        facts.Figure(
            label="AUC against the champion's",
            value=f"{played.comparison.difference:+.3f}",
            note=f"at least {played.comparison.low:+.3f}, on the same {played.comparison.rows:,} customers",
        ),
        facts.Figure(label="customers at first", value=f"{played.rows:,}", note="in the embedded database"),
    )


def _stations(played: Performance) -> dict[str, str]:
    return {
        "source": f"{played.rows:,} customers",
        "etl": f"{played.searched.values:,} values hidden",
        "lake": f"data set {played.evidence.version.dataset_hash[:8]}",
        "training": f"{len(played.execution.steps)} steps",
        "registry": f"version {played.evidence.version.number}, {played.evidence.quality}",
        "approval": played.approval.version.decided_by or "approved",
        "reconcile": f"served in {played.approval.seconds:.1f} s",
        "endpoint": f"{played.answers:,} answers",
        "monitors": f"{violations(played.quiet)}, then {violations(played.drifted)} found",
        "alarm": f"→ version {played.retrained.number} pending",
    }


def _interval(evidence: Evidence) -> str:
    interval = evidence.evaluation.get("intervals", {}).get(evidence.quality.metric)
    return f"95 %: {interval['low']:.3f} to {interval['high']:.3f}" if interval else ""
