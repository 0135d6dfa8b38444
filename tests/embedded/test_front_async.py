"""Asynchronous endpoints of embedded AWS: queued, answered into S3, told to topics, scaled to zero and back."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from tests.embedded.serving import BUCKET, Serving


class Mailbox:
    """Two topics, and the queue that hears both."""

    def __init__(self, aws: EmbeddedAws, name: str) -> None:
        sns, self._sqs = aws.client("sns"), aws.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self.topics = {}
        for kind in ("success", "error"):
            topic = sns.create_topic(Name=f"{name}-{kind}")["TopicArn"]
            endpoint = f"arn:aws:sqs:eu-west-1:000000000000:{name}"
            attributes = {"RawMessageDelivery": "true"}
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)
            self.topics[kind] = topic

    def next(self) -> dict[str, Any]:
        """The next message."""

        def look() -> dict[str, Any] | None:
            for message in self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=1).get("Messages", []):
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                content: dict[str, Any] = json.loads(message["Body"])
                return content
            return None

        found: dict[str, Any] = Serving.eventually(look)
        return found


def asynchronous(mailbox: Mailbox | None = None, **output: Any) -> dict[str, Any]:
    config: dict[str, Any] = {"S3OutputPath": f"s3://{BUCKET}/answers", **output}
    if mailbox is not None:
        topics = {"SuccessTopic": mailbox.topics["success"], "ErrorTopic": mailbox.topics["error"]}
        config["NotificationConfig"] = {**topics, "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]}
    return {"ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2}, "OutputConfig": config}


def submit(serving: Serving, endpoint: str, uri: str, **settings: Any) -> dict[str, Any]:
    answer: dict[str, Any] = serving.runtime.invoke_endpoint_async(
        EndpointName=endpoint, InputLocation=uri, ContentType="text/csv", **settings
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    return answer


def test_a_request_is_answered_into_s3_and_told_to_the_topic(aws: EmbeddedAws, serving: Serving) -> None:
    name = "async-answered"
    mailbox = Mailbox(aws, name)
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/{name}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    config = serving.config(
        name,
        serving.variant(serving.model(name, "yes")),
        AsyncInferenceConfig=asynchronous(mailbox),
        DataCaptureConfig=capture,
    )
    with serving.endpoint(name, config):
        assert serving.sagemaker.describe_endpoint(EndpointName=name)["AsyncInferenceConfig"]["OutputConfig"]
        given = serving.put(f"{name}/in.csv", "1,2\n3,4\n")
        accepted = submit(serving, name, given, InferenceId="case-7", Accept="text/csv", CustomAttributes="c=1")
        assert accepted["InferenceId"] == "case-7"
        assert accepted["OutputLocation"].startswith(f"s3://{BUCKET}/answers/")
        assert accepted["OutputLocation"].endswith(".out")
        assert "FailureLocation" not in accepted
        assert serving.eventually(lambda: serving.read(accepted["OutputLocation"])) == "yes\nyes"

        told = mailbox.next()
        assert told.pop("eventTime") >= told.pop("receivedTime")
        assert told.pop("responseBody")["encoding"] == "BASE64"
        assert told == {
            "awsRegion": "eu-west-1",
            "invocationStatus": "Completed",
            "requestParameters": {
                "accept": "text/csv",
                "contentType": "text/csv",
                "customAttributes": "c=1",
                "endpointName": name,
                "inputLocation": given,
            },
            "responseParameters": {"contentType": "text/csv", "outputLocation": accepted["OutputLocation"]},
            "inferenceId": "case-7",
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        captured = serving.eventually(lambda: serving.under(f"{name}/captured/{name}/primary/"))
        assert '"inferenceId": "case-7"' in next(iter(captured.values()))
        named = {"EndpointName": name, "VariantName": "primary"}
        assert serving.eventually(lambda: serving.measured("InvocationsProcessed", **named)) == 1
        assert serving.measured("InvocationFailures", **named) is None
        assert serving.measured("TimeInBacklog", **named) is not None
        assert serving.measured("ApproximateBacklogSize", EndpointName=name) is not None
        # What a synchronous endpoint publishes of its callers, this one does not.
        assert serving.measured("Invocations", **named) is None


def test_what_fails_is_kept_and_told_with_its_reason(aws: EmbeddedAws, serving: Serving) -> None:
    name = "async-failing"
    mailbox = Mailbox(aws, name)
    inference = asynchronous(mailbox, S3FailurePath=f"s3://{BUCKET}/failures/")
    config = serving.config(name, serving.variant(serving.model(name, "yes")), AsyncInferenceConfig=inference)
    with serving.endpoint(name, config):
        accepted = submit(serving, name, serving.put(f"{name}/boom.csv", "boom"))
        assert accepted["FailureLocation"].startswith(f"s3://{BUCKET}/failures/")
        assert accepted["FailureLocation"].endswith("-error.out")
        told = mailbox.next()
        assert told["invocationStatus"] == "Failed"
        assert "Received server error (500) from model" in told["failureReason"]
        assert "no such row" in (serving.read(accepted["FailureLocation"]) or "")
        assert serving.read(accepted["OutputLocation"]) is None

        submit(serving, name, f"s3://{BUCKET}/{name}/nowhere.csv")
        told = mailbox.next()
        assert "Could not download" in told["failureReason"]
        assert "responseParameters" not in told
        named = {"EndpointName": name, "VariantName": "primary"}
        assert serving.eventually(lambda: serving.measured("InvocationFailures", **named) == 2)
        assert serving.measured("RequestDownloadFailures", **named) == 1


def test_a_caller_may_name_the_answer(serving: Serving) -> None:
    name = "async-named"
    config = serving.config(name, serving.variant(serving.model(name, "yes")), AsyncInferenceConfig=asynchronous())
    with serving.endpoint(name, config):
        given = serving.put(f"{name}/in.csv", "1")
        accepted = submit(serving, name, given, S3OutputPathExtension="2026/11", Filename="answer.csv")
        assert accepted["OutputLocation"] == f"s3://{BUCKET}/answers/2026/11/answer.csv"
        assert serving.eventually(lambda: serving.read(accepted["OutputLocation"])) == "yes"


def test_a_payload_may_come_with_the_call(serving: Serving) -> None:
    name = "async-inline"
    config = serving.config(name, serving.variant(serving.model(name, "yes")), AsyncInferenceConfig=asynchronous())
    with serving.endpoint(name, config):
        accepted = serving.runtime.invoke_endpoint_async(EndpointName=name, Body=b"1\n2\n", ContentType="text/csv")
        assert serving.eventually(lambda: serving.read(accepted["OutputLocation"])) == "yes\nyes"
        with pytest.raises(ClientError, match=r"ValidationError.*Exactly one"):
            serving.runtime.invoke_endpoint_async(EndpointName=name)
        with pytest.raises(ClientError, match=r"ValidationError.*Exactly one"):
            serving.runtime.invoke_endpoint_async(EndpointName=name, Body=b"1", InputLocation=f"s3://{BUCKET}/x")


def test_a_first_instance_that_does_not_come_up_says_why(serving: Serving) -> None:
    name = "async-stillborn"
    model = serving.model(name, "yes")
    config = serving.config(name, serving.variant(model), AsyncInferenceConfig=asynchronous())
    with serving.endpoint(name, config):

        def resize(count: int) -> dict[str, Any]:
            wanted = {"VariantName": "primary", "DesiredInstanceCount": count}
            serving.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=name, DesiredWeightsAndCapacities=[wanted]
            )
            described: dict[str, Any] = serving.sagemaker.describe_endpoint(EndpointName=name)
            return described

        resize(0)
        serving.s3.delete_object(Bucket=BUCKET, Key=f"{model}.tar.gz")
        failed = resize(1)
        assert "Could not find model data" in failed["FailureReason"]
        assert failed["ProductionVariants"][0]["CurrentInstanceCount"] == 0


def test_the_two_calls_are_for_two_kinds_of_endpoint(serving: Serving) -> None:
    model = serving.model("async-kinds", "yes")
    waiting = serving.config("async-kinds", serving.variant(model), AsyncInferenceConfig=asynchronous())
    prompt = serving.config("async-kinds-prompt", serving.variant(model))
    with serving.endpoint("async-kinds", waiting), serving.endpoint("async-kinds-prompt", prompt):
        with pytest.raises(ClientError, match=r"ValidationError.*is asynchronous"):
            serving.ask("async-kinds")
        given = serving.put("async-kinds/in.csv", "1")
        with pytest.raises(ClientError, match=r"ValidationError.*is not asynchronous"):
            submit(serving, "async-kinds-prompt", given)
        with pytest.raises(ClientError, match=r"ValidationError.*s3://"):
            submit(serving, "async-kinds", "https://elsewhere/in.csv")


def test_without_instances_requests_wait_until_there_is_one(serving: Serving) -> None:
    name = "async-zero"
    config = serving.config(name, serving.variant(serving.model(name, "yes")), AsyncInferenceConfig=asynchronous())

    def resize(count: int) -> None:
        wanted = {"VariantName": "primary", "DesiredInstanceCount": count}
        serving.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[wanted]
        )

    with serving.endpoint(name, config):
        resize(0)
        [variant] = serving.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == 0
        accepted = submit(serving, name, serving.put(f"{name}/in.csv", "1"))
        assert serving.eventually(lambda: serving.measured("HasBacklogWithoutCapacity", EndpointName=name))
        assert serving.read(accepted["OutputLocation"]) is None
        resize(1)
        assert serving.eventually(lambda: serving.read(accepted["OutputLocation"])) == "yes"


def test_only_asynchronous_endpoints_scale_to_zero(serving: Serving) -> None:
    name = "async-prompt-zero"
    with serving.endpoint(name, serving.config(name, serving.variant(serving.model(name, "yes")))):
        wanted = {"VariantName": "primary", "DesiredInstanceCount": 0}
        with pytest.raises(ClientError, match=r"ValidationException.*only asynchronous"):
            serving.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=name, DesiredWeightsAndCapacities=[wanted]
            )
