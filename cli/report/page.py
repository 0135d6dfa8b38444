"""Renders the report as one HTML file that needs nothing else."""

from pathlib import Path

from markupsafe import Markup

from cli.monitors import MonitorResult, subject
from cli.report import drift, picture, timeline
from cli.report.facts import Report
from pipeline_scripts.evidence.page import bias, fairness, quality
from pipeline_scripts.evidence.page.template import fill

HERE = Path(__file__).parent


def render(report: Report) -> str:
    """The page."""
    return fill(
        "page.html",
        {
            "report": report,
            "charts": _charts(report),
            "answers": quality.answers(report.evidence.evaluation),
            "evaluation": report.evidence.evaluation,
            "monitors": _monitors(report),
            "violations": _violations(report),
            "bias_columns": bias.groups(report.evidence.bias, "post"),
            "bias_rows": bias.rows(report.evidence.bias, "post"),
        },
        beside=HERE,
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


def _charts(report: Report) -> dict[str, Markup]:
    found = report.evidence
    charts = {
        "picture": picture.platform_picture(report.stations),
        "gantt": timeline.gantt(report.execution.steps),
        "attributions": quality.attributions(found.attributions),
        "fairness": fairness.bounds(bias.bounded(found.checks)),
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
