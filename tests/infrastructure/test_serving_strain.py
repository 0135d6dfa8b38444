"""Causes are watched one by one and told as one; the machines' limits follow from what they are."""

import json
from typing import Any

import pytest

from baton.serving.endpoint_strain import InstanceMetrics, gpus, vcpus


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {key: r["Properties"] for key, r in template["Resources"].items() if r["Type"] == kind}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_one_alarm_tells_of_all_causes_and_they_are_silent(assembly: Any, environment: str) -> None:
    template = assembly.stack(environment, "dashboard")
    [told] = of_type(template, "AWS::CloudWatch::CompositeAlarm").values()
    causes = of_type(template, "AWS::CloudWatch::Alarm")
    assert len(told["AlarmActions"]) == 1
    assert not any("AlarmActions" in cause for cause in causes.values())
    rule = json.dumps(told["AlarmRule"])
    assert all(f'"{name}"' in rule for name in causes)
    assert rule.count("ALARM(") == len(causes) == 7


def test_what_has_no_known_end_is_compared_with_its_past(assembly: Any) -> None:
    causes = of_type(assembly.stack("prod", "dashboard"), "AWS::CloudWatch::Alarm").values()
    bands = {cause["Metrics"][1]["MetricStat"]["Metric"]["MetricName"]: cause for cause in causes if "Metrics" in cause}
    assert set(bands) == {"Invocations", "ModelLatency"}
    assert bands["Invocations"]["ComparisonOperator"] == "LessThanLowerOrGreaterThanUpperThreshold"
    assert bands["ModelLatency"]["ComparisonOperator"] == "GreaterThanUpperThreshold"
    for band in bands.values():
        assert band["ThresholdMetricId"] == band["Metrics"][0]["Id"]
        assert band["Metrics"][0]["Expression"].startswith("ANOMALY_DETECTION_BAND(")


@pytest.mark.parametrize(
    ("instance_type", "processors", "graphics"),
    [
        ("ml.m5.large", 2, 0),
        ("ml.c5.18xlarge", 72, 0),
        ("ml.c4.8xlarge", 36, 0),
        ("ml.m6g.xlarge", 4, 0),
        ("ml.p3.2xlarge", 8, 1),
        ("ml.p3.16xlarge", 64, 8),
    ],
)
def test_a_machine_is_known_by_its_name(instance_type: str, processors: int, graphics: int) -> None:
    assert vcpus(instance_type) == processors
    assert gpus(instance_type) == graphics


def test_a_size_without_a_rule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ml\.m5\.metal has no size"):
        vcpus("ml.m5.metal")


def thresholds(instance_type: str) -> dict[str, float]:
    metrics = InstanceMetrics(endpoint_name="e", variant="v", instance_type=instance_type)
    return {limit.name: limit.threshold for limit in metrics.limits()}


def test_the_processors_limit_counts_all_of_them_and_graphics_only_where_there_are_some() -> None:
    plain, graphics = (
        {
            limit.name: limit.threshold
            for limit in InstanceMetrics(endpoint_name="e", variant="v", instance_type=t).limits()
        }
        for t in ("ml.m5.2xlarge", "ml.p3.8xlarge")
    )
    assert plain == {"Processors": 8 * 80, "Memory": 85, "Disk": 85}
    assert graphics == {"Processors": 32 * 80, "Memory": 85, "Disk": 85, "GraphicsMemory": 4 * 85}
