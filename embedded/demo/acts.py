"""What each act does: the personas' work, through the same modules as the `baton` command."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from cli import etl as ingestion
from cli import evidence, ledger, monitors, registry, reproduction, training
from cli.alarms import named
from cli.evidence import Evidence
from cli.monitors import MonitorResult
from cli.registry import Version
from cli.reproduction import Reproduction
from cli.serving import serving
from cli.stacks import Platform
from cli.training import Execution
from cli.waiting import wait_for
from embedded.demo.personal_values import PersonalValues
from embedded.demo.search import Searched, search_buckets, search_logs
from embedded.demo.stage import Act
from embedded.demo.traffic import Stretch, send
from pipeline_scripts.evidence.findings import AgainstChampion

# Every wait is bounded; these are many times what an act takes, for slow machines.
ETL_SECONDS = 300
TRAINING_SECONDS = 600
SERVING_SECONDS = 180
MONITOR_SECONDS = 300
ALARM_SECONDS = 120
QUICK = 0.25
# The zones that people downstream may read; the raw zone and the vault are locked away from them.
SEARCHED_ZONES = ("Curated", "Features", "Models", "Monitoring", "Evidence", "Logs")


class ActFailed(Exception):
    """An act did not end as it must; the message says how it ended instead."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What there was before: so that what an alarm starts can be told apart."""

    executions: frozenset[str]
    versions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A version that came to serve, and how many seconds after the officer's word."""

    version: Version
    seconds: float


def extract(act: Act, platform: Platform, *, as_of: date | None) -> ingestion.Dataset:
    """Run an ingestion on the table as it is now; the training is an act of its own."""
    run = ingestion.start(platform, as_of=as_of, train=False)
    ingestion.wait(platform, run, seconds=ETL_SECONDS, every=QUICK, meanwhile=lambda present: act.note(str(present)))
    dataset = ingestion.current(platform)
    act.end(f"{dataset.rows:,} rows, data set {dataset.hash[:12]}")
    return dataset


def train(act: Act, platform: Platform, *, author: str) -> tuple[Execution, Version]:
    """Start the pipeline and wait for the version it registers."""
    before = known(platform)
    arn = training.start(platform, reason="manual", author=author)
    return _follow(act, platform, arn, before)


def judge(act: Act, platform: Platform, version: Version) -> Evidence:
    """Read the evidence as the compliance officer does.

    Raises:
        ActFailed: A version is there whose gate did not pass.
    """
    found = evidence.read(platform, version)
    if not found.passed:
        raise ActFailed(f"version {version.number} was registered although its gate said: {found.reasons}")
    judged = sum(check.limits is not None and check.value is not None for check in found.checks)
    act.end(f"{found.quality}; {len(found.checks)} checks passed, {judged} of them on fairness")
    return found


def approve(act: Act, platform: Platform, version: Version) -> Approval:
    """Approve as the compliance officer, and wait until the endpoint serves the version and the ledger says so."""
    began = time.monotonic()
    registry.decide(
        platform,
        version,
        "Approved",
        comment="The evidence is sound: accuracy and fairness lie within their bounds.",
        role_arn=platform.output("governance", "ComplianceOfficerRoleArn"),
        person="compliance-officer",
    )
    wait_for(
        lambda: serving(platform),
        until=lambda now: now.package_arn == version.arn and now.status == "InService",
        what=f"the endpoint to serve version {version.number}",
        seconds=SERVING_SECONDS,
        every=QUICK,
        meanwhile=lambda now: act.note(f"endpoint {now.endpoint}: {now.status}"),
    )
    seconds = time.monotonic() - began
    endpoint = serving(platform).endpoint
    act.note("waiting for the ledger's entry")
    wait_for(
        lambda: [entry for entry in ledger.history(platform, endpoint) if entry.package_arn == version.arn],
        until=lambda entries: any(entry.kind == "served" for entry in entries),
        what="the ledger to say that it was proven to serve",
        seconds=SERVING_SECONDS,
        every=QUICK,
    )
    act.end(f"version {version.number} serves {seconds:.1f} s after the approval")
    return Approval(version=registry.describe(platform, version.arn), seconds=seconds)


def ask(act: Act, platform: Platform, requests: pd.DataFrame) -> Stretch:
    """Send a stretch of traffic."""
    act.note(f"{len(requests)} requests")
    stretch = send(platform, serving(platform), requests)
    act.end(f"{len(requests)} answers captured, {int(requests['label'].notna().sum())} outcomes handed in")
    return stretch


def watch(act: Act, platform: Platform, stretch: Stretch) -> list[MonitorResult]:
    """Run the four monitors over a stretch of traffic.

    Raises:
        ActFailed: A monitor could not answer.
    """
    window = {"window_start": stretch.window_start, "window_end": stretch.window_end}
    jobs = {name: monitors.start(platform, name, **window) for name in monitors.SCHEDULE_OUTPUTS}
    results = []
    for name, job in jobs.items():
        act.note(f"waiting for {job}")
        results.append(monitors.wait(platform, name, job, seconds=MONITOR_SECONDS, every=QUICK))
    silent = [result for result in results if not result.answered]
    if silent:
        raise ActFailed(f"monitor {silent[0].monitor} could not answer: {silent[0].message}")
    counts = ", ".join(f"{result.monitor.replace('_', ' ')} {len(result.violations)}" for result in results)
    act.end(f"{violations(results)} violations ({counts})")
    return results


def violations(results: Sequence[MonitorResult]) -> int:
    """How many violations some monitors found together."""
    return sum(len(result.violations) for result in results)


def expect_quiet(results: Sequence[MonitorResult]) -> None:
    """Insist that nothing was found in traffic like the training's.

    Raises:
        ActFailed: Something was.
    """
    for result in results:
        if result.violations:
            first = result.violations[0]
            raise ActFailed(f"monitor {result.monitor} objects to ordinary traffic: {first.get('description', first)}")


def await_alarm(act: Act, platform: Platform) -> str:
    """Wait until a drift alarm rings."""
    names = platform.output("monitoring", "DriftAlarmNames").split(",")
    ringing = wait_for(
        lambda: [alarm for alarm in named(platform, names) if alarm.state == "ALARM"],
        until=bool,
        what="a drift alarm to ring",
        seconds=ALARM_SECONDS,
        every=QUICK,
    )
    act.end(f"{act.outcome}{'; ' if act.outcome else ''}{len(ringing)} of {len(names)} drift alarms ring")
    return ringing[0].name


def known(platform: Platform) -> Known:
    """The executions and versions that there are now."""
    return Known(
        executions=frozenset(training.executions(platform)),
        versions=frozenset(version.arn for version in registry.versions(platform)),
    )


def await_retraining(act: Act, platform: Platform, before: Known) -> tuple[Execution, Version]:
    """Wait for the training that the alarm started, and for its version."""
    act.note("waiting for the alarm to start a training")
    fresh = wait_for(
        lambda: [arn for arn in training.executions(platform) if arn not in before.executions],
        until=bool,
        what="the alarm to start a training",
        seconds=ALARM_SECONDS,
        every=QUICK,
    )
    return _follow(act, platform, fresh[0], before)


def measure(act: Act, platform: Platform, version: Version) -> AgainstChampion:
    """Read how a version did against the champion.

    Raises:
        ActFailed: It was compared with none.
    """
    found = evidence.read(platform, version)
    if found.comparison is None:
        [said] = [check.reason for check in found.checks if check.name == "champion"]
        raise ActFailed(f"version {version.number} was compared with no champion: {said}")
    against = found.comparison
    act.end(
        f"AUC {against.challenger:.4f}, version {against.champion} has {against.champion_value:.4f} on the same "
        f"{against.rows:,} rows; {against.difference:+.4f}, at least {against.low:+.4f}"
    )
    return against


def reproduce(act: Act, platform: Platform, version: Version) -> Reproduction:
    """Make a version once more, as an auditor would.

    Raises:
        ActFailed: It came out different.
    """
    made = reproduction.reproduce(
        platform, version, run="demo", every=QUICK, meanwhile=lambda present: act.note(present.stage)
    )
    if not made.equal:
        differing = [file.name for file in made.files if file.recorded != file.made]
        raise ActFailed(f"version {version.number} came out different: {', '.join(differing)}")
    act.end(f"version {version.number} again: all {len(made.files)} files are byte-equal")
    return made


def search_zones(act: Act, platform: Platform, everybody: PersonalValues) -> Searched:
    """Look for every personal value of the source in every zone, and in the logs.

    Raises:
        ActFailed: One was found; or the search finds none even in the vault, where the keys lie, so it is blind.
    """
    s3 = platform.client("s3")
    control = search_buckets(s3, everybody, [platform.output("data-lake", "VaultBucketName")], act.note)
    if not control.values_found:
        raise ActFailed("the search finds nothing even in the vault, so it would find nothing anywhere")
    buckets = [platform.output("data-lake", f"{zone}BucketName") for zone in SEARCHED_ZONES]
    found = search_buckets(s3, everybody, buckets, act.note)
    search_logs(platform.client("logs"), everybody, found, act.note)
    if found.findings:
        first = found.findings[0]
        raise ActFailed(
            f"{found.values_found} personal values of the source turned up; the first, of {first.column}, "
            f"in {first.place}"
        )
    act.end(
        f"none of {found.values:,} values in {found.objects} objects and {found.log_events} log events; "
        f"{control.values_found:,} in the locked vault"
    )
    return found


def _follow(act: Act, platform: Platform, arn: str, before: Known) -> tuple[Execution, Version]:
    """Follow an execution to its end, and find the version it registered."""
    execution = training.wait(
        platform, arn, seconds=TRAINING_SECONDS, every=QUICK, meanwhile=lambda present: act.note(str(present))
    )
    fresh = [version for version in registry.versions(platform) if version.arn not in before.versions]
    if len(fresh) != 1:
        raise ActFailed(f"the execution {arn} succeeded but registered {len(fresh)} versions, not one")
    version = fresh[0]
    if version.status != "PendingManualApproval":
        raise ActFailed(f"version {version.number} was registered as {version.status}, not as PendingManualApproval")
    act.end(f"version {version.number} waits for approval; {len(execution.steps)} steps; {version.reason}")
    return execution, version
