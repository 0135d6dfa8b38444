"""The monitors stay quiet on quiet traffic, see what changed, and never call silence health."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_scripts.monitoring import bias, data_quality, explainability, model_quality
from pipeline_scripts.monitoring.report import Report
from pipeline_scripts.serving.inference import ServedModel
from tests.runtime.churn import Trained, customers
from tests.runtime.traffic import ask, drifted, line, looked_at, truths, write_lines

MONITORS = {
    "data_quality": data_quality,
    "model_quality": model_quality,
    "bias": bias,
    "explainability": explainability,
}
Change = Callable[[pd.DataFrame], pd.DataFrame]


def arguments(trained: Trained, folder: Path) -> list[str]:
    places = {
        "capture": folder / "capture",
        "baseline": trained.evidence,
        "output": folder / "out",
        "ground-truth": folder / "truth",
        "model": trained.artefact,
    }
    return [text for name, place in places.items() for text in (f"--{name}", str(place))]


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / "out" / name).read_text())


def metrics_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (folder / "out" / "cloudwatch_metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", MONITORS)
def test_quiet_traffic_completes_without_violations(
    name: str, trained: Trained, served: ServedModel, job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_ENDPOINT", "bank-churn")
    monkeypatch.setenv("BATON_SCHEDULE", f"bank-churn-{name}")
    monkeypatch.setenv("BATON_WINDOW_END", "2026-01-01T11:00:00Z")
    frame = customers(400, seed=21)
    write_lines(tmp_path / "capture", [*ask(served, frame, trained.model), "{broken"])
    write_lines(tmp_path / "truth", truths(frame))
    assert MONITORS[name].main(arguments(trained, tmp_path)) == 0
    message = (job / "output" / "message").read_text()
    assert message.startswith("Completed: ")
    assert "1 lines of the capture could not be read." in message
    assert read(tmp_path, "constraint_violations.json") == {"version": "1.0", "violations": []}
    assert (tmp_path / "out" / ("statistics.json" if "quality" in name else "analysis.json")).is_file()
    assert (tmp_path / "out" / "constraints.json").is_file()
    for metric in metrics_of(tmp_path):
        assert metric["Namespace"] == MONITORS[name].NAMESPACE
        assert metric["Timestamp"] == "2026-01-01T11:00:00Z"
        assert metric["Dimensions"][:2] == [
            {"Name": "Endpoint", "Value": "bank-churn"},
            {"Name": "MonitoringSchedule", "Value": f"bank-churn-{name}"},
        ]
    assert {metric["MetricName"]: metric["Value"] for metric in metrics_of(tmp_path)}["Unknown"] == 0


@pytest.mark.parametrize(
    ("monitor", "needed"),
    [
        ("data_quality", "feature_baseline_drift_balance feature_non_null_country feature_data_balance"),
        ("model_quality", "auc accuracy recall labelled_rows"),
        ("bias", "bias_metric_DPPL bias_metric_AD"),
        ("explainability", "feature_balance ExpectedValue ndcg"),
    ],
)
def test_metrics_carry_the_names_of_model_monitor(
    monitor: str, needed: str, trained: Trained, served: ServedModel, tmp_path: Path
) -> None:
    frame = customers(250, seed=22)
    lines, labels = ask(served, frame, trained.model), truths(frame)
    report = looked_at(MONITORS[monitor].look, tmp_path, trained, lines=lines, labels=labels)
    assert set(needed.split()) <= {name for name, _, _ in report.metrics}


@pytest.mark.parametrize(
    ("name", "rows", "labels", "why"),
    [
        ("data_quality", 30, 30, "30 captured rows in the window, 200 are needed"),
        ("model_quality", 300, 0, "0 rows with a label in the window, 200 are needed"),
        ("model_quality", 300, 199, "199 rows with a label"),
        ("bias", 300, 0, "0 rows with a label"),
        ("explainability", 0, 0, "0 captured rows"),
    ],
)
def test_too_little_to_judge_by_is_unknown_and_not_healthy(
    name: str, rows: int, labels: int, why: str, trained: Trained, served: ServedModel, job: Path, tmp_path: Path
) -> None:
    frame = customers(max(rows, 1), seed=23)
    write_lines(tmp_path / "capture", ask(served, frame, trained.model)[:rows])
    write_lines(tmp_path / "truth", truths(frame)[:labels])
    assert MONITORS[name].main(arguments(trained, tmp_path)) == 0
    assert (job / "output" / "message").read_text().startswith(f"CompletedWithoutAnswer: {why}")
    assert read(tmp_path, "constraint_violations.json")["violations"] == []
    assert {metric["MetricName"]: metric["Value"] for metric in metrics_of(tmp_path)}["Unknown"] == 1


def test_labels_of_one_kind_only_are_no_answer(
    trained: Trained, served: ServedModel, job: Path, tmp_path: Path
) -> None:
    frame = customers(300, seed=24).assign(churned=0)
    write_lines(tmp_path / "capture", ask(served, frame, trained.model))
    write_lines(tmp_path / "truth", truths(frame))
    assert model_quality.main(arguments(trained, tmp_path)) == 0
    assert "all labels of the window are the same" in (job / "output" / "message").read_text()


def test_missing_baseline_fails_with_a_reason(trained: Trained, served: ServedModel, job: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "capture", ask(served, customers(300), trained.model))
    places = ["--capture", str(tmp_path / "capture"), "--baseline", str(tmp_path), "--output", str(tmp_path / "out")]
    assert data_quality.main(places) == 1
    assert "statistics.json is missing" in (job / "output" / "message").read_text()


def violations_on(
    look: Callable[..., None], trained: Trained, served: ServedModel, folder: Path, frame: pd.DataFrame
) -> list[dict[str, str]]:
    lines = ask(served, frame, trained.model)
    return looked_at(look, folder, trained, lines=lines, labels=truths(frame)).violations


def test_violations_are_counted_in_the_message_and_written_in_the_format(
    trained: Trained, served: ServedModel, job: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "capture", ask(served, drifted(400, seed=25), trained.model))
    assert data_quality.main(arguments(trained, tmp_path)) == 0
    violations = read(tmp_path, "constraint_violations.json")["violations"]
    message = (job / "output" / "message").read_text()
    assert message == f"CompletedWithViolations: Job completed successfully with {len(violations)} violations."
    assert {"balance", "credit_score", "country"} == {item["feature_name"] for item in violations}
    assert {item["constraint_check_type"] for item in violations} == {"baseline_drift_check"}
    assert re.match(r"Baseline drift distance: 0\.\d+ exceeds threshold: 0\.15", violations[0]["description"])


@pytest.mark.parametrize(
    ("check", "column", "change"),
    [
        ("completeness_check", "balance", lambda frame: frame.assign(balance=frame["balance"].mask(frame.index < 20))),
        (
            "categorical_values_check",
            "country",
            lambda frame: frame.assign(country=frame["country"].replace("Spain", "Italy")),
        ),
        ("baseline_drift_check", "credit_score", lambda frame: frame.assign(credit_score=frame["credit_score"] + 100)),
    ],
)
def test_each_change_of_the_inputs_is_named(
    check: str, column: str, change: Change, trained: Trained, served: ServedModel, tmp_path: Path
) -> None:
    found = violations_on(data_quality.look, trained, served, tmp_path, change(customers(400, seed=26)))
    assert (column, check) in {(item["feature_name"], item["constraint_check_type"]) for item in found}


@pytest.mark.parametrize(
    ("check", "column", "row"),
    [
        ("data_type_check", "balance", "Spain,30-39,650,3,much,2,1,1,50000.5,Male"),
        ("missing_column_check", "gender", "Spain,30-39,650,3,0.0,2,1,1,50000.5"),
        ("extra_column_check", "_c10", "Spain,30-39,650,3,0.0,2,1,1,50000.5,Male,more"),
    ],
)
def test_requests_of_another_shape_are_named(
    check: str, column: str, row: str, trained: Trained, served: ServedModel, tmp_path: Path
) -> None:
    lines = [*ask(served, customers(200, seed=27), trained.model), *(line(row, "refused") for _ in range(60))]
    report = looked_at(data_quality.look, tmp_path, trained, lines=lines, labels=[])
    assert (column, check) in {(item["feature_name"], item["constraint_check_type"]) for item in report.violations}


def test_one_missing_value_in_hundreds_is_no_violation(trained: Trained, served: ServedModel, tmp_path: Path) -> None:
    frame = customers(300, seed=28)
    frame.loc[0, "balance"] = None
    assert violations_on(data_quality.look, trained, served, tmp_path, frame) == []


def test_lost_accuracy_is_a_violation(trained: Trained, served: ServedModel, tmp_path: Path) -> None:
    frame, draw = customers(500, seed=29), np.random.default_rng(29)
    frame["churned"] = np.where(draw.random(500) < 0.35, 1 - frame["churned"], frame["churned"])
    found = violations_on(model_quality.look, trained, served, tmp_path, frame)
    assert "auc" in {item["metric_name"] for item in found}
    assert all(item["constraint_check_type"] == "LessThanThreshold" for item in found)


def test_new_bias_is_a_violation_of_its_group(trained: Trained, served: ServedModel, tmp_path: Path) -> None:
    frame = customers(500, seed=30)
    women = frame["gender"] == "Female"
    frame.loc[women, ["products", "is_active"]] = [4, 0]
    found = violations_on(bias.look, trained, served, tmp_path, frame)
    assert ("gender", "Female", "DPPL") in {(item["facet"], item["facet_value"], item["metric_name"]) for item in found}
    assert {item["constraint_check_type"] for item in found} == {"bias_drift_check"}


def test_group_too_small_to_judge_by_is_noted(trained: Trained, served: ServedModel, tmp_path: Path) -> None:
    frame = customers(400, seed=31)
    lines, labels = ask(served, frame, trained.model), truths(frame)
    report = looked_at(bias.look, tmp_path, trained, lines=lines, labels=labels)
    assert any("too small to judge by" in note for note in report.notes)


def test_other_features_moving_the_answers_is_a_violation(
    trained: Trained, served: ServedModel, tmp_path: Path
) -> None:
    path = tmp_path / "evidence"
    baseline = json.loads((trained.evidence / "explainability" / "analysis.json").read_text())
    values = baseline["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    ranked = sorted(values, key=values.__getitem__)
    turned = dict(zip(ranked, sorted(values.values(), reverse=True), strict=True))
    baseline["explanations"]["kernel_shap"]["label0"]["global_shap_values"] = turned
    (path / "evidence" / "explainability").mkdir(parents=True)
    (path / "evidence" / "explainability" / "analysis.json").write_text(json.dumps(baseline))
    (path / "artefact").symlink_to(trained.artefact)
    other = Trained(root=path, model=trained.model)
    lines = ask(served, customers(300, seed=32), trained.model)
    [violation] = looked_at(explainability.look, tmp_path, other, lines=lines, labels=[]).violations
    assert violation["constraint_check_type"] == "feature_attribution_drift_check"


def alarms(
    look: Callable[..., None], trained: Trained, served: ServedModel, folder: Path, frames: list[pd.DataFrame]
) -> int:
    return sum(
        bool(violations_on(look, trained, served, folder / str(number), frame)) for number, frame in enumerate(frames)
    )


def test_quiet_windows_do_not_alarm(trained: Trained, served: ServedModel, tmp_path: Path) -> None:
    windows = [customers(300 + number, seed=1_000 + number) for number in range(60)]
    assert alarms(data_quality.look, trained, served, tmp_path, windows) <= 3


def test_visible_drift_alarms_in_every_window(trained: Trained, served: ServedModel, tmp_path: Path) -> None:
    windows = [drifted(300, seed=2_000 + number) for number in range(20)]
    assert alarms(data_quality.look, trained, served, tmp_path, windows) == 20


def test_quiet_windows_keep_their_quality_and_fairness(trained: Trained, served: ServedModel, tmp_path: Path) -> None:
    windows = [customers(400, seed=3_000 + number) for number in range(12)]
    assert alarms(model_quality.look, trained, served, tmp_path / "quality", windows) <= 1
    assert alarms(bias.look, trained, served, tmp_path / "bias", windows) <= 1


def test_report_publishes_no_infinite_value(tmp_path: Path) -> None:
    report = Report(namespace="test")
    report.measure("infinite", float("inf"))
    report.measure("absent", None)
    tmp_path.joinpath("out").mkdir()
    report.write(tmp_path / "out", moment=datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert [metric["MetricName"] for metric in metrics_of(tmp_path)] == ["Unknown"]
