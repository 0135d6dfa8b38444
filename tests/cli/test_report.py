"""The page tells what the facts say, needs nothing from elsewhere, and survives hostile names."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.evidence import Evidence
from cli.lineage.stations import Station
from cli.monitors import SCHEDULE_OUTPUTS, MonitorResult
from cli.registry import Version
from cli.report.distributions import compare
from cli.report.facts import Drift, Figure, Report, Row, Watch
from cli.report.page import render
from cli.training import Execution, Step
from pipeline_scripts.evidence.findings import BiasMetric, Check, Quality
from pipeline_scripts.evidence.page.bias import bounded
from pipeline_scripts.evidence.page.drawing import Scale

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHIFTS = {"baseline": 0, "quiet": 4, "drifted": 160}
STEPS = ("Preprocess", "DataQualityBaseline", "Train", "Evaluate", "Bias", "Explain", "Gate", "Register")


def version(number: int, status: str, **facts: str) -> Version:
    known = {
        "commit": "617812cabcdef0123456789",
        "author": "Ada",
        "dataset_hash": "3fa9" * 16,
        "dataset_uri": "s3://curated/bank_churn/runs/1/",
        "evidence_uri": "s3://evidence/bank_churn/1",
        "evidence_sha256": "cd" * 32,
        "image": "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5",
        "artifact_sha256": "ab" * 32,
        "execution": "arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/abc",
        "reason": "manual",
        "comment": "",
        "decided_by": "",
    }
    arn = f"arn:aws:sagemaker:eu-west-1:000000000000:model-package/bank-churn/{number}"
    return Version(number=number, arn=arn, status=status, created=START, **{**known, **facts})


def statistics(shift: float) -> dict[str, Any]:
    values = [350 + (index * 37 % 500) - shift for index in range(1000)]
    sketch = {"parameters": {"c": 0.64, "k": 2048}, "data": [values]}
    countries = {"France": 500 - shift, "Germany": 250 + shift, "Spain": 250}
    buckets = [{"value": name, "count": count} for name, count in countries.items()]
    return {
        "features": [
            {"name": "credit_score", "numerical_statistics": {"distribution": {"kll": {"sketch": sketch}}}},
            {"name": "country", "string_statistics": {"distribution": {"categorical": {"buckets": buckets}}}},
        ]
    }


def result(monitor: str, count: int) -> MonitorResult:
    violation = {"feature_name": "country", "constraint_check_type": "baseline_drift_check", "description": "far"}
    return MonitorResult(
        monitor=monitor,
        job=f"{monitor}-1",
        status="Completed",
        message=f"CompletedWithViolations: {count}" if count else "Completed: no violations.",
        report_uri="s3://monitoring/r",
        ended=START,
        violations=(violation,) * count,
    )


def steps() -> tuple[Step, ...]:
    return tuple(
        Step(
            name=name,
            type="Processing",
            status="Succeeded",
            started=START + timedelta(seconds=4 * place),
            ended=START + timedelta(seconds=4 * place + 3.4),
            reason="",
        )
        for place, name in enumerate(STEPS)
    )


def evidence() -> Evidence:
    curve = [(index / 40, 1 - (1 - index / 40) ** 4) for index in range(41)]
    calibration = [
        {"rows": 900 // (place + 1), "mean_probability": place / 10 + 0.05, "positive_rate": place / 10 + 0.04}
        for place in range(10)
    ]
    names = ("country", "age_group", "credit_score", "balance", "products")
    groups = (("gender", "Female"), ("age_group", "60-69"), ("age_group", "70+"))
    checks = [
        Check(
            name=f"{metric}.{facet}={value}",
            passed=True,
            value=0.04 if metric == "DPPL" else -0.06,
            bound="-0.2 to 0.2",
            limits=(-0.2, 0.2),
            reason="within",
        )
        for facet, value in groups
        for metric in ("DPPL", "AD")
    ]
    bias = [
        BiasMetric(phase="post", facet=facet, facet_value=value, name=name, description=text, value=0.0312)
        for facet, value in groups
        for name, text in (("DPPL", "Difference in positive proportions"), ("AD", "Accuracy difference"))
    ]
    auc = Check(name="auc", passed=True, value=0.8612, bound="0.8", limits=None, reason="above")
    return Evidence(
        version=version(1, "Approved"),
        evaluation={
            "auc": 0.8612,
            "rows": 2000,
            "intervals": {"auc": {"low": 0.84, "high": 0.88}},
            "roc_curve": {"fpr": [x for x, _ in curve], "tpr": [y for _, y in curve]},
            "calibration": calibration,
        },
        passed=True,
        quality=Quality(metric="auc", value=0.8612),
        reasons="Passed all 12 checks, with an AUC of 0.8612.",
        checks=(auc, *checks),
        bias=tuple(bias),
        attributions={name: 0.4 / (place + 1) for place, name in enumerate(names)},
    )


def report(**changes: Any) -> Report:
    watches = tuple(
        Watch(
            label=label,
            results=tuple(result(monitor, count) for monitor in SCHEDULE_OUTPUTS),
            distances={"credit_score": distance, "country": distance / 2},
        )
        for label, count, distance in (("quiet", 0, 0.04), ("drifted", 2, 0.38))
    )
    content = {
        "title": "Bank customer churn",
        "environment": "dev",
        "made": "2026-11-23 09:04",
        "evidence": evidence(),
        "execution": Execution(arn="arn:x/abc", status="Succeeded", started=START, reason="", steps=steps()),
        "versions": (
            Row(
                version=version(2, "PendingManualApproval", reason="alarm: drift"),
                quality=Quality(metric="auc", value=0.842),
                serving=False,
            ),
            Row(
                version=version(1, "Approved", decided_by="officer", comment="sound"),
                quality=Quality(metric="auc", value=0.8612),
                serving=True,
            ),
        ),
        "figures": tuple(Figure(label=f"figure {n}", value="0.861", note="on the hold-out") for n in range(8)),
        "stations": {"source": "10,000 customers", "registry": "AUC 0.861", "monitors": "0, then 8 violations"},
        "drift": Drift(
            threshold=0.15,
            watches=watches,
            distributions=tuple(compare({name: statistics(shift) for name, shift in SHIFTS.items()})),
        ),
        "lineage": (
            Station(
                kind="prediction", name="demo-1", facts={"time": "2026-11-23T09:03:00Z", "answer": "0.123"}, key="p"
            ),
            Station(kind="dataset", name="3fa9" * 16, facts={"check": "the manifest's hash is the version's"}, key="d"),
        ),
        "timings": {"Deploy": 41.2},
    }
    return Report(**{**content, **changes})


@pytest.fixture(scope="module")
def page() -> str:
    return render(report())


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"""(src|href)\s*=|@import|url\((?!#)""", page)
    assert "<script" not in page
    assert len(page.encode()) < 6_000_000


@pytest.mark.parametrize("chart", ["ROC curve", "Calibration", "Feature attributions", "Bias metrics", "steps in time"])
def test_page_draws(page: str, chart: str) -> None:
    assert re.search(rf'aria-label="[^"]*{chart}', page)


def test_page_of_a_regression_shows_answers_against_outcomes() -> None:
    tenths = [
        {"low": mean - 5.0, "high": mean + 5.0, "rows": 20, "mean_answer": mean, "mean_outcome": mean * 0.9}
        for mean in (80.0, 140.0, 210.0)
    ]
    evaluation = {"r2": 0.47, "rows": 60, "intervals": {"r2": {"low": 0.31, "high": 0.58}}, "tenths": tenths}
    number = replace(evidence(), evaluation=evaluation, quality=Quality(metric="r2", value=0.47))
    page = render(report(evidence=number))
    assert "the R2 lies between 0.310 and 0.580" in page
    assert "20 rows: answered 140, came true 126" in page
    assert "ROC curve" not in page and "Calibration" not in page


def test_page_draws_each_feature_and_marks_what_drifted(page: str) -> None:
    assert page.count("Distribution of ") == 2
    assert page.count(">drifted</text>") == 2, "one in the legend, one beside the country, and none beside the score"


def test_page_shows_versions_lineage_and_figures(page: str) -> None:
    for text in ("pending", "alarm: drift", "officer: sound", "demo-1", "figure 7", "Deploy", "0.8612"):
        assert text in page


def test_page_leaves_out_what_it_was_not_given() -> None:
    page = render(report(drift=None, lineage=(), timings={}, figures=()))
    assert "Watching" not in page
    assert "traced back" not in page


def test_hostile_names_stay_text() -> None:
    hostile = '<img onerror="x">'
    page = render(
        report(
            title=hostile,
            stations={"source": hostile},
            versions=(Row(version=version(1, "Approved", author=hostile), quality=None, serving=True),),
        )
    )
    assert "<img" not in page
    assert "&lt;img" in page


def test_unjudged_fairness_is_not_drawn_as_zero() -> None:
    unjudged = Check(name="AD.age=70+", passed=True, value=None, bound="", limits=(-0.1, 0.1), reason="too small")
    assert bounded([unjudged]) == []


def test_numeric_distributions_share_bins_and_add_up() -> None:
    [score, country] = compare({"baseline": statistics(0), "drifted": statistics(160)})
    assert len(score.labels) == len(score.shares["baseline"]) == len(score.shares["drifted"])
    for shares in (*score.shares.values(), *country.shares.values()):
        assert sum(shares) == pytest.approx(1)
    assert country.labels == ("France", "Germany", "Spain")


def test_values_of_a_compacted_sketch_count_double() -> None:
    file = {"features": [numeric([[1.0, 1.0], [3.0]])]}
    [feature] = compare({"baseline": file})
    assert feature.shares["baseline"] == pytest.approx((0.5, 0.0, 0.5))


def numeric(levels: list[list[float]]) -> dict[str, Any]:
    sketch = {"parameters": {}, "data": levels}
    return {"name": "products", "numerical_statistics": {"distribution": {"kll": {"sketch": sketch}}}}


def test_age_bands_stand_in_order() -> None:
    buckets = [{"value": value, "count": 1} for value in ("70+", "18-29", "<18", "30-39")]
    feature = {"name": "age_group", "string_statistics": {"distribution": {"categorical": {"buckets": buckets}}}}
    [distribution] = compare({"baseline": {"features": [feature]}})
    assert distribution.labels == ("<18", "18-29", "30-39", "70+")


def test_ticks_are_round_and_within() -> None:
    assert Scale(low=0, high=1, start=0, end=100).ticks() == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert Scale(low=-0.23, high=0.23, start=0, end=100).ticks(4) == [-0.2, 0.0, 0.2]
