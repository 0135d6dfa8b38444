"""What is told about a served version beside SageMaker: answers by the inference code, starts by the workflow."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "Baton/Serving"
MINUTE = cdk.Duration.minutes(1)


def metric_positive_share(endpoint_name: str) -> cloudwatch.Metric:
    """Which share of the answers was positive, over a minute."""
    return _metric("PositiveShare", endpoint_name, statistic="Average")


def metric_mean_answer(endpoint_name: str) -> cloudwatch.Metric:
    """The mean of the answers, over a minute."""
    return _metric("MeanAnswer", endpoint_name, statistic="Average")


def metric_refused_requests(endpoint_name: str) -> cloudwatch.Metric:
    """How many requests the model refused, over a minute."""
    return _metric("RefusedRequests", endpoint_name, statistic="Sum")


def metric_unseen_categories(endpoint_name: str) -> cloudwatch.Metric:
    """How many values were categories that the model never saw in training, over a minute."""
    return _metric("UnseenCategories", endpoint_name, statistic="Sum")


def metric_served_version(endpoint_name: str) -> cloudwatch.Metric:
    """The number of a version at the moment it began to serve, which the reconcile workflow writes; else nothing."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name="ServedVersion",
        dimensions_map={"EndpointName": endpoint_name},
        statistic="Maximum",
        label="version deployed",
    )


def _metric(name: str, endpoint_name: str, *, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"EndpointName": endpoint_name},
        statistic=statistic,
        period=MINUTE,
    )
