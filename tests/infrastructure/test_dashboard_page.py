"""The page shows every alarm of a model and every station that it passes."""

import json
from typing import Any

import pytest


def body(template: dict[str, Any]) -> list[dict[str, Any]]:
    [dashboard] = [r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "token" for part in parts)
    widgets: list[dict[str, Any]] = json.loads(text)["widgets"]
    return widgets


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_page_begins_with_the_alarms_and_follows_the_model(assembly: Any, environment: str) -> None:
    widgets = body(assembly.stack(environment, "dashboard"))
    assert widgets[0]["type"] == "alarm"
    assert len(widgets[0]["properties"]["alarms"]) == 1 + 7 + 2 + 4 + 4 + 2 + 3
    headings = [widget["properties"]["markdown"] for widget in widgets if widget["type"] == "text"]
    assert headings == ["## Data and training", "## Approval", "## Serving", "## Watching"]


def test_every_monitor_has_a_line(assembly: Any) -> None:
    [violations] = [
        widget
        for widget in body(assembly.stack("dev", "dashboard"))
        if widget["properties"].get("title") == "Violations"
    ]
    monitors = {metric[metric.index("Monitor") + 1] for metric in violations["properties"]["metrics"]}
    assert monitors == {"data_quality", "model_quality", "bias", "explainability"}


def test_every_picture_of_the_endpoint_shows_when_a_version_came(assembly: Any) -> None:
    widgets = body(assembly.stack("dev", "dashboard"))
    headings = [widget["properties"].get("markdown") for widget in widgets]
    start, end = headings.index("## Serving"), headings.index("## Watching")
    graphs = widgets[start + 1 : end]
    assert [graph["properties"]["title"] for graph in graphs] == [
        "Requests",
        "Errors",
        "Model latency (µs)",
        "Machines (%)",
    ]
    for graph in graphs:
        marks = [line for line in graph["properties"]["metrics"] if "ServedVersion" in line]
        assert [mark[-1]["yAxis"] for mark in marks] == ["right"]
