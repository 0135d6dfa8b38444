"""What the ingestion workflow's record step publishes about one model's data set."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from baton.platform import Platform

NAMESPACE = "Baton/Ingestion"


def metric(name: str, *, platform: Platform, model: str, statistic: str, period: cdk.Duration) -> cloudwatch.Metric:
    """One metric of one model in one environment.

    There are `PublishedRows` and `RunMinutes` of every run that ended with something published, `RejectedRows` and
    `NewSurrogates` where its manifest tells, and `RowsOfUsual`: its rows in percent of the last week's median.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"Model": model, "Environment": platform.environment_name},
        statistic=statistic,
        period=period,
    )
