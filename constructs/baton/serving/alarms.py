"""What must not happen while a model serves, least of all while a new version is watched.

The alarms stand whether a version is served or not, so they exist before the first request does. Without requests
there is nothing wrong.
"""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from baton.observability.alarm import OperatorAlarm
from baton.serving.metrics import (
    MINUTE,
    metric_mean_answer,
    metric_positive_share,
    metric_refused_requests,
    metric_unseen_categories,
)
from baton.specification.serving import BusinessLimits

ERROR_RATE = 0.05
ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
MINUTES_IN_A_ROW = 3
"""One minute's few answers may be extreme without anything being wrong."""


class EndpointAlarms(Construct):
    """An endpoint that fails, or lets its callers wait.

    Args:
        errors: The share of requests that ended in a 5XX.
        latency: The time the model takes, in microseconds.
        max_latency_ms: What is too long; None where nobody waits.
        topic: Whom to tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        errors: cloudwatch.Metric,
        latency: cloudwatch.Metric,
        max_latency_ms: int | None,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        share = f"More than {ERROR_RATE:.0%} of the requests to an endpoint end in a server error."
        self.all = [self._alarm("ServerErrors", errors, ERROR_RATE, share, runbook="endpoint-errors")]
        if max_latency_ms is not None:
            slow = f"One request in a hundred takes the model longer than {max_latency_ms} ms."
            limit = max_latency_ms * 1000
            self.all.append(self._alarm("SlowAnswers", latency, limit, slow, runbook="endpoint-latency"))

    def _alarm(
        self, construct_id: str, metric: cloudwatch.Metric, threshold: float, description: str, *, runbook: str
    ) -> cloudwatch.IAlarm:
        return OperatorAlarm(
            self,
            construct_id,
            metric=metric.with_(period=MINUTE),
            threshold=threshold,
            description=description,
            runbook=f"docs/runbook.md#{runbook}",
            topic=self._topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            comparison=ABOVE,
        ).alarm


class BusinessAlarms(Construct):
    """Answers that no healthy version gives: one alarm for each limit that the model's file sets.

    Args:
        endpoint_name: Whose answers.
        limits: What they must be like.
        topic: Whom to tell.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, endpoint_name: str, limits: BusinessLimits, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        self.all: list[cloudwatch.IAlarm] = []
        ranges = {
            "PositiveShare": (limits.positive_share, metric_positive_share, "share of positive answers"),
            "MeanAnswer": (limits.mean_answer, metric_mean_answer, "mean answer"),
        }
        for construct_id_of, (range_, metric, what) in ranges.items():
            if range_ is not None:
                low, high = range_
                self._alarm(f"{construct_id_of}Low", metric(endpoint_name), BELOW, low, f"The {what} is below {low:g}.")
                self._alarm(
                    f"{construct_id_of}High", metric(endpoint_name), ABOVE, high, f"The {what} is above {high:g}."
                )
        counts = {
            "RefusedRequests": (limits.refused_requests, metric_refused_requests, "requests are refused"),
            "UnseenCategories": (limits.unseen_categories, metric_unseen_categories, "values are of unseen categories"),
        }
        for construct_id_of, (most, metric, what) in counts.items():
            if most is not None:
                said = f"More than {most} {what} in a minute."
                self._alarm(construct_id_of, metric(endpoint_name), ABOVE, most, said)

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.Metric,
        comparison: cloudwatch.ComparisonOperator,
        threshold: float,
        description: str,
    ) -> None:
        alarm = OperatorAlarm(
            self,
            construct_id,
            metric=metric,
            threshold=threshold,
            description=description,
            runbook="docs/runbook.md#answers-out-of-bounds",
            topic=self._topic,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            comparison=comparison,
            evaluation_periods=MINUTES_IN_A_ROW,
        )
        self.all.append(alarm.alarm)
