"""What one run of one monitor found, as the metrics that alarms and dashboards read."""

from typing import Any

NAMESPACE = "Baton/Monitoring"


def publish_answer(cloudwatch: Any, *, endpoint_name: str, monitor: str, violations: int | None) -> None:
    """Publish how many violations were found; None means that the run could not tell.

    The endpoint's name tells environments of one account apart, which the model's would not. `Unknown` is published
    either way, so that "no answer" can never look like "no violation".
    """
    dimensions = [{"Name": "Endpoint", "Value": endpoint_name}, {"Name": "Monitor", "Value": monitor}]
    data = [{"MetricName": "Unknown", "Dimensions": dimensions, "Value": float(violations is None), "Unit": "Count"}]
    if violations is not None:
        data.append({"MetricName": "Violations", "Dimensions": dimensions, "Value": float(violations), "Unit": "Count"})
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
