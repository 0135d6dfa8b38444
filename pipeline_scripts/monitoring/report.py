"""What every monitor leaves behind: Model Monitor's files, CloudWatch's metrics, and one sentence.

Names of namespaces, metrics and dimensions are those of AWS's documentation, read there for all four monitors: data
quality `/aws/sagemaker/Endpoints/data-metric` with `feature_data_`, `feature_non_null_` and `feature_baseline_drift_`;
model quality `aws/sagemaker/Endpoints/model-metrics`; bias `aws/sagemaker/Endpoints/bias-metrics` with `bias_metric_`;
attributions `aws/sagemaker/Endpoints/explainability-metrics` with `feature_`. The documentation names data quality's
dimensions both `EndpointName`, `ScheduleName` and `Endpoint`, `MonitoringSchedule`; these monitors use the second pair,
as the other three do. `Unknown` is our own: 1 when a run could not answer, which must never look like health.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipeline_scripts.analysis.capture import Capture, Window, parse_time
from pipeline_scripts.analysis.json_files import write_json


class WithoutAnswer(Exception):
    """The window holds too little to judge by; the message says what is missing."""


@dataclass(kw_only=True)
class Report:
    """The findings of one run of one monitor."""

    namespace: str
    files: dict[str, Any] = field(default_factory=dict)
    violations: list[dict[str, str]] = field(default_factory=list)
    metrics: list[tuple[str, float | None, Mapping[str, str]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def measure(self, name: str, value: float | None, dimensions: Mapping[str, str] | None = None) -> None:
        """Note a metric; one without a finite value is not published."""
        self.metrics.append((name, value, dimensions or {}))

    def write(self, folder: Path, *, moment: datetime, problem: WithoutAnswer | None = None) -> str:
        """Write the files and return the job's message."""
        self.measure("Unknown", float(problem is not None))
        if problem is not None:
            self.violations = []
        for name, content in self.files.items():
            write_json(folder / name, content)
        write_json(folder / "constraint_violations.json", {"version": "1.0", "violations": self.violations})
        lines = [
            json.dumps(self._line(name, value, extra, moment))
            for name, value, extra in self.metrics
            if value is not None and math.isfinite(value)
        ]
        (folder / "cloudwatch_metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return " ".join([self._outcome(problem), *self.notes])

    def _outcome(self, problem: WithoutAnswer | None) -> str:
        if problem is not None:
            return f"CompletedWithoutAnswer: {problem}."
        if self.violations:
            count = len(self.violations)
            return f"CompletedWithViolations: Job completed successfully with {count} violations."
        return "Completed: Job completed successfully with no violations."

    def _line(self, name: str, value: float, extra: Mapping[str, str], moment: datetime) -> dict[str, Any]:
        dimensions = {
            "Endpoint": os.environ.get("BATON_ENDPOINT", "none"),
            "MonitoringSchedule": os.environ.get("BATON_SCHEDULE", "none"),
            **extra,
        }
        return {
            "Namespace": self.namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
            "Value": float(value),
            "Timestamp": moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def asked_window() -> Window:
    """The window that whoever started the monitor asked for."""
    return Window(
        start=parse_time(os.environ.get("BATON_WINDOW_START")), end=parse_time(os.environ.get("BATON_WINDOW_END"))
    )


def moment_of(window: Window, capture: Capture) -> datetime:
    """When the findings hold: at the window's end, else at the last capture, else now."""
    return window.end or capture.latest or datetime.now(timezone.utc)


def require_rows(found: int, model_settings: Mapping[str, Any], what: str) -> None:
    """Refuse to answer on too few rows.

    Raises:
        WithoutAnswer: There are fewer than `monitoring.min_rows`.
    """
    needed = model_settings["monitoring"]["min_rows"]
    if found < needed:
        raise WithoutAnswer(f"{found} {what} in the window, {needed} are needed to judge")
