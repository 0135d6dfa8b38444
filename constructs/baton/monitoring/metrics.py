"""What a monitor says, as numbers. `publish_monitor` writes them, whichever backend watched."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from baton.monitoring.plan import MonitorPlan

NAMESPACE = "Baton/Monitoring"


def metric_violations(
    plan: MonitorPlan, *, endpoint_name: str, period: cdk.Duration, statistic: str = "Maximum"
) -> cloudwatch.Metric:
    """How many constraints the latest answer found violated."""
    return _metric("Violations", plan, endpoint_name=endpoint_name, period=period, statistic=statistic)


def metric_unknown(
    plan: MonitorPlan, *, endpoint_name: str, period: cdk.Duration, statistic: str = "Maximum"
) -> cloudwatch.Metric:
    """1 where a monitor could not answer: no traffic, no labels, too few rows, or its job failed."""
    return _metric("Unknown", plan, endpoint_name=endpoint_name, period=period, statistic=statistic)


def _metric(
    name: str, plan: MonitorPlan, *, endpoint_name: str, period: cdk.Duration, statistic: str
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"Endpoint": endpoint_name, "Monitor": plan.name},
        period=period,
        statistic=statistic,
    )
