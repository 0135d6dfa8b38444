"""The page shows every alarm of a model and every station that it passes."""

import json
from typing import Any

import pytest


def body(template: dict[str, Any]) -> list[dict[str, Any]]:
    [dashboard] = [r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else next(iter(part.values())) for part in parts)
    widgets: list[dict[str, Any]] = json.loads(text)["widgets"]
    return widgets


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_page_begins_with_the_alarms_and_follows_the_model(assembly: Any, environment: str) -> None:
    widgets = body(assembly.stack(environment, "dashboard"))
    assert widgets[0]["type"] == "alarm"
    assert len(widgets[0]["properties"]["alarms"]) == 2 + 4 + 4 + 2 + 3
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
