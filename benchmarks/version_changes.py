"""What a caller notices while versions change, and how long an approval takes to serve, on the deployed demo."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.broken_version import register_broken
from benchmarks.deployed import Deployed, demo
from benchmarks.measurement import Measurement
from benchmarks.steady_load import Load, steady_load
from cli import ledger, registry
from cli.connection import from_environment
from cli.registry import Version
from cli.serving import serving
from cli.stacks import Platform
from cli.storage import read_json
from cli.waiting import wait_for

ROWS, APPROVALS = 3000, 20
COMMAND = "python -m benchmarks version_changes"
LIMIT_S = 180.0
ASIDE_S = 3.0  # of load before the first change and after the last


def measure() -> Iterator[Measurement]:
    """Change the version three times under load, one of them to a bad one; then approve one twenty times."""
    with demo(rows=ROWS) as deployed:
        platform = Platform(from_environment(deployed.environment), "dev")
        first, second = sorted(registry.versions(platform), key=lambda version: version.number)[:2]
        broken = register_broken(platform, second)
        load, changes = _under_load(deployed, platform, first, second, broken)
        seconds = list(_approvals(platform, first, second))
    yield Measurement(
        name="failed_requests_during_update",
        value=len(load.failures),
        unit="requests",
        command=COMMAND,
        detail={
            "answered": load.answered,
            "changes": changes,
            "slowest_s": round(max(load.seconds), 3),
            "first_failures": load.failures[:3],
        },
    )
    yield Measurement(
        name="approve_to_serving_p95_s",
        value=round(statistics.quantiles(seconds, n=20)[-1], 2),
        unit="s",
        command=COMMAND,
        detail={"p50": round(statistics.median(seconds), 2), "runs": [round(value, 2) for value in seconds]},
    )


def _under_load(
    deployed: Deployed, platform: Platform, first: Version, second: Version, broken: Version
) -> tuple[Load, list[str]]:
    """First to second; second to one that does not start, and back; and by a rejection back to the first."""
    evaluation = read_json(platform.connection, f"{first.evidence_uri}/evaluation/evaluation.json") or {}
    endpoint = serving(platform).endpoint
    changes: list[str] = []
    row = evaluation["canary"]["request"]
    with steady_load(endpoint=endpoint, row=row, environment=deployed.environment) as load:
        time.sleep(ASIDE_S)
        for version, decision, outcome in (
            (second, "Approved", ("served", second)),
            (broken, "Approved", ("quarantined", broken)),
            (second, "Rejected", ("served", first)),
        ):
            _decide(platform, version, decision)
            _await(platform, endpoint, *outcome)
            changes.append(f"version {version.number} {decision}: {outcome[0]} version {outcome[1].number}")
        time.sleep(ASIDE_S)
    return load, changes


def _approvals(platform: Platform, first: Version, second: Version) -> Iterator[float]:
    """Seconds from the word of the compliance officer to the proof that the version serves, each from the first."""
    endpoint = serving(platform).endpoint
    for _ in range(APPROVALS):
        began = time.monotonic()
        _decide(platform, second, "Approved")
        _await(platform, endpoint, "served", second)
        yield time.monotonic() - began
        _decide(platform, second, "Rejected")
        _await(platform, endpoint, "served", first)


def _decide(platform: Platform, version: Version, decision: Any) -> None:
    registry.decide(
        platform,
        version,
        decision,
        comment="decided by the benchmark of version changes",
        role_arn=platform.output("governance", "ComplianceOfficerRoleArn"),
        person="compliance-officer",
    )


def _await(platform: Platform, endpoint: str, kind: str, version: Version) -> None:
    """Wait for the ledger's newest word; the endpoint's own word would not be proof."""
    wait_for(
        lambda: ledger.history(platform, endpoint)[-1],
        until=lambda entry: (entry.kind, entry.package_arn) == (kind, version.arn),
        what=f"the ledger to say {kind} of version {version.number}",
        seconds=LIMIT_S,
        every=0.25,
    )
