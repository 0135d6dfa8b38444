"""What SageMaker tells an SNS topic about an asynchronous request that has ended."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from embedded.compute.async_submission import Outcome, Submission
from embedded.compute.invocation import Invocation
from embedded.compute.job import ClientFactory, now

_BODY_LIMIT = 128 * 1024


class Notices:
    """The notifications of one endpoint, as its OutputConfig wants them.

    Args:
        endpoint: The endpoint's name.
        client: Gives the SNS client.
        config: The OutputConfig.
    """

    def __init__(self, *, endpoint: str, client: ClientFactory, config: Mapping[str, Any]) -> None:
        self._endpoint, self._client = endpoint, client
        self._config: Mapping[str, Any] = config.get("NotificationConfig", {})

    def send(self, submission: Submission, outcome: Outcome) -> None:
        """Tell the topic of successes or that of errors, if there is one."""
        failed = outcome.failure_reason is not None
        topic = self._config.get("ErrorTopic" if failed else "SuccessTopic")
        if topic is None:
            return
        sns = self._client("sns")
        notice = self._notice(submission, outcome, region=sns.meta.region_name)
        wanted = "ERROR_NOTIFICATION_TOPIC" if failed else "SUCCESS_NOTIFICATION_TOPIC"
        if outcome.answer is not None and wanted in self._config.get("IncludeInferenceResponseIn", ()):
            notice["responseBody"] = _body(outcome.answer)
        sns.publish(TopicArn=topic, Message=json.dumps(notice))

    def _notice(self, submission: Submission, outcome: Outcome, *, region: str) -> dict[str, Any]:
        failed = outcome.failure_reason is not None
        request = {
            "accept": submission.accept,
            "contentType": submission.content_type,
            "customAttributes": submission.custom_attributes,
            "endpointName": self._endpoint,
            "inputLocation": submission.input_location,
        }
        notice: dict[str, Any] = {
            "awsRegion": region,
            "eventTime": _moment(now()),
            "receivedTime": _moment(submission.received),
            "invocationStatus": "Failed" if failed else "Completed",
            "requestParameters": {key: value for key, value in request.items() if value is not None},
            "inferenceId": submission.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        if failed:
            notice["failureReason"] = outcome.failure_reason
        if outcome.answer is not None and outcome.location is not None:
            place = {"contentType": outcome.answer.content_type, "outputLocation": outcome.location}
            notice["responseParameters"] = place
        return notice


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _body(answer: Invocation) -> dict[str, str]:
    """The answer itself, where it is small enough to be sent along."""
    message = "Check S3 path location(if configured) or Cloudwatch for additional details."
    if len(answer.body) > _BODY_LIMIT:
        return {"message": message}
    return {"content": base64.b64encode(answer.body).decode(), "message": message, "encoding": "BASE64"}
