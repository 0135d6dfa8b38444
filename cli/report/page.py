"""Renders the report as one HTML file that needs nothing else."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from cli.evidence import BiasMetric, Check
from cli.monitors import MonitorResult, subject
from cli.report import drift, fairness, picture, quality, timeline
from cli.report.facts import Report
from cli.report.fairness import Bounded

HERE = Path(__file__).parent


def render(report: Report) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = lambda text, length=12: text if len(text) <= length else f"{text[:length]}…"
    return environment.get_template("page.html").render(
        report=report,
        style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        charts=_charts(report),
        answers=quality.answers(report.evidence.evaluation),
        evaluation=report.evidence.evaluation,
        monitors=_monitors(report),
        violations=_violations(report),
        bias_columns=_groups(report.evidence.bias),
        bias_rows=_bias_rows(report.evidence.bias),
    )


def _monitors(report: Report) -> list[tuple[str, list[MonitorResult]]]:
    """A row a monitor: its results, stretch by stretch."""
    watches = report.drift.watches if report.drift else ()
    rows = zip(*(watch.results for watch in watches), strict=True)
    return [(results[0].monitor.replace("_", " "), list(results)) for results in rows]


def _violations(report: Report) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Of each stretch of traffic: which monitor found what, and of which feature, metric or group."""
    watches = report.drift.watches if report.drift else ()
    return [
        (
            watch.label,
            [
                (result.monitor.replace("_", " "), subject(violation), str(violation["description"]))
                for result in watch.results
                for violation in result.violations
            ],
        )
        for watch in watches
    ]


def _groups(metrics: Sequence[BiasMetric]) -> list[str]:
    return list(dict.fromkeys(f"{metric.facet} = {metric.facet_value}" for metric in metrics if metric.phase == "post"))


def _bias_rows(metrics: Sequence[BiasMetric]) -> list[tuple[str, list[float | None]]]:
    """A row a metric: its values, group by group."""
    rows: dict[str, list[float | None]] = {}
    for metric in metrics:
        if metric.phase == "post":
            rows.setdefault(metric.description or metric.name, []).append(metric.value)
    return list(rows.items())


def _charts(report: Report) -> dict[str, Markup]:
    found = report.evidence
    charts = {
        "picture": picture.platform_picture(report.stations),
        "gantt": timeline.gantt(report.execution.steps),
        "attributions": quality.attributions(found.attributions),
        "fairness": fairness.bounds(bounded(found.checks)),
    }
    if report.drift is not None:
        flagged = set().union(*(watch.drifted_features for watch in report.drift.watches))
        by_run = {watch.label: watch.distances for watch in report.drift.watches}
        charts["distances"] = drift.distances(by_run, report.drift.threshold)
        charts["distributions"] = Markup("").join(
            drift.small_multiple(distribution, flagged=distribution.feature in flagged)
            for distribution in report.drift.distributions
        )
    return charts


def bounded(checks: Sequence[Check]) -> list[Bounded]:
    """The gate's fairness checks, named `metric.facet=value`, that could be judged."""
    return [
        Bounded(
            metric=check.name.split(".", 1)[0],
            facet_value=check.name.split(".", 1)[-1].replace("=", " = "),
            value=check.value,
            low=check.limits[0],
            high=check.limits[1],
        )
        for check in checks
        if check.limits is not None and check.value is not None
    ]
