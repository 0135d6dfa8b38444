"""Everything the page tells, gathered from S3 and the AWS API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cli import evidence, monitors, registry
from cli.evidence import Evidence
from cli.lineage.stations import Station
from cli.monitors import MonitorResult
from cli.registry import Version
from cli.report.distributions import Distribution, compare
from cli.stacks import Platform
from cli.storage import read_json, read_lines
from cli.training import Execution
from pipeline_scripts.evidence.findings import Quality

DISTANCE_METRIC = "feature_baseline_drift_"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number that matters."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What the monitors said about one stretch of traffic."""

    label: str
    results: tuple[MonitorResult, ...]
    distances: dict[str, float]

    @property
    def violations(self) -> int:
        """How many in all."""
        return sum(len(result.violations) for result in self.results)

    @property
    def drifted_features(self) -> set[str]:
        """The features whose own distribution was reported."""
        return {
            str(violation["feature_name"]).strip()
            for result in self.results
            for violation in result.violations
            if violation.get("constraint_check_type") == "baseline_drift_check"
        }


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The baseline and the traffic compared with it."""

    threshold: float
    watches: tuple[Watch, ...]
    distributions: tuple[Distribution, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the versions table."""

    version: Version
    quality: Quality | None
    serving: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    """The page's content. What a caller leaves out, the page leaves out."""

    title: str
    environment: str
    made: str
    evidence: Evidence
    execution: Execution
    versions: tuple[Row, ...]
    figures: tuple[Figure, ...] = ()
    stations: Mapping[str, str] = field(default_factory=dict)
    drift: Drift | None = None
    lineage: tuple[Station, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    caveat: str = ""


def versions(platform: Platform, served_arn: str | None) -> tuple[Row, ...]:
    """The versions with their quality, newest first."""
    return tuple(
        Row(version=version, quality=evidence.quality(platform, version), serving=version.arn == served_arn)
        for version in registry.versions(platform)
    )


def drift(platform: Platform, version: Version, runs: Mapping[str, Sequence[MonitorResult]]) -> Drift | None:
    """Compare stretches of traffic with a version's baseline.

    Args:
        platform: The platform.
        version: The version that was served.
        runs: The monitors' results by what the stretch is called.
    """
    folder = f"{version.evidence_uri}/data_quality"
    baseline = read_json(platform.connection, f"{folder}/statistics.json")
    constraints = read_json(platform.connection, f"{folder}/constraints.json")
    if baseline is None or constraints is None:
        return None
    statistics = {"baseline": baseline}
    for label, results in runs.items():
        report = _report(results, "data_quality")
        found = read_json(platform.connection, f"{report.report_uri}/statistics.json") if report else None
        if found is not None:
            statistics[label] = found
    return Drift(
        threshold=constraints["monitoring_config"]["distribution_constraints"]["comparison_threshold"],
        watches=tuple(
            Watch(label=label, results=tuple(results), distances=_distances(platform, results))
            for label, results in runs.items()
        ),
        distributions=tuple(compare(statistics)),
    )


def _distances(platform: Platform, results: Sequence[MonitorResult]) -> dict[str, float]:
    report = _report(results, "data_quality")
    if report is None:
        return {}
    lines = read_lines(platform.connection, f"{report.report_uri}/cloudwatch_metrics.jsonl")
    return {
        line["MetricName"].removeprefix(DISTANCE_METRIC): float(line["Value"])
        for line in lines
        if line["MetricName"].startswith(DISTANCE_METRIC)
    }


def _report(results: Sequence[MonitorResult], monitor: str) -> monitors.MonitorResult | None:
    return next((result for result in results if result.monitor == monitor), None)
