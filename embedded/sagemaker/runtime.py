"""SageMaker's runtime API: a request to an endpoint, passed to the host that serves it."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from embedded.front.api import Answer, ApiError, parse, service_model
from embedded.sagemaker.endpoints import Endpoints

if TYPE_CHECKING:
    from embedded.compute.endpoint import Invocation

_PATH = re.compile(r"^/endpoints/([^/]+)/(invocations|async-invocations)$")


class Runtime:
    """Answers `POST /endpoints/{name}/invocations` and `.../async-invocations`."""

    def __init__(self, *, endpoints: Endpoints, account: str) -> None:
        self._endpoints = endpoints
        self._account = account

    @staticmethod
    def claims(path: str) -> bool:
        """Whether a request belongs to the runtime API; the control plane lives at `/`."""
        return path.startswith("/endpoints/")

    def answer(self, *, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Invoke an endpoint, or queue a request to it."""
        from embedded.compute.endpoint import EndpointFailure, NotExplained, Throttled, UnknownVariant, WrongCall

        match = _PATH.match(path)
        if match is None:
            return _error(404, "UnknownOperationException", {"Message": f"embedded AWS does not answer {path}."})
        name = unquote(match.group(1))
        host = self._endpoints.host(name)
        if host is None:
            return _error(400, "ValidationError", {"Message": f"Endpoint {name} of account {self._account} not found."})
        act = self._invoke if match.group(2) == "invocations" else self._submit
        try:
            return act(host, name, headers, body)
        except (UnknownVariant, WrongCall, NotExplained, ApiError) as error:
            return _error(400, "ValidationError", {"Message": str(error)})
        except Throttled as error:
            return _error(429, "ThrottlingException", {"Message": str(error)})
        except EndpointFailure as error:
            return _error(503, "ServiceUnavailable", {"Message": str(error)})

    def _invoke(self, host: Any, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        from embedded.compute.endpoint import Request

        given = _given("InvokeEndpoint", name, headers)
        invocation = host.invoke(
            Request(
                body=body,
                content_type=given.get("ContentType", "application/octet-stream"),
                accept=given.get("Accept"),
                inference_id=given.get("InferenceId"),
                target_variant=given.get("TargetVariant"),
                custom_attributes=given.get("CustomAttributes"),
                explanations=given.get("EnableExplanations"),
            )
        )
        if not 200 <= invocation.status < 300:
            return _model_error(name, invocation)
        return 200, _headers(invocation), invocation.body

    def _submit(self, host: Any, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        from embedded.compute.async_submission import Submission

        given = _given("InvokeEndpointAsync", name, headers)
        location = given.get("InputLocation")
        if (location is None) == (not body):
            raise ApiError("ValidationError", "Exactly one of Body and InputLocation must be given.")
        if location is not None and not location.startswith("s3://"):
            raise ApiError("ValidationError", "embedded AWS reads an InputLocation that begins with s3:// only.")
        inference_id = given.get("InferenceId", str(uuid.uuid4()))
        output, failure = host.inbox.submit(
            Submission(
                inference_id=inference_id,
                variant=host.variants[0],
                input_location=location,
                body=body,
                content_type=given.get("ContentType"),
                accept=given.get("Accept"),
                custom_attributes=given.get("CustomAttributes"),
                ttl_s=given.get("RequestTTLSeconds", 21600),
                timeout_s=given.get("InvocationTimeoutSeconds", 900),
                path_extension=given.get("S3OutputPathExtension"),
                file_name=given.get("Filename"),
            )
        )
        places = {"X-Amzn-SageMaker-OutputLocation": output}
        if failure is not None:
            places["X-Amzn-SageMaker-FailureLocation"] = failure
        content = json.dumps({"InferenceId": inference_id}).encode()
        return 202, {"content-type": "application/json", **places}, content


def _given(operation: str, endpoint: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that a request carries in its headers, checked against the API's model.

    Raises:
        ApiError: One is missing or not as the model wants it.
    """
    shape = service_model("sagemaker-runtime").operation_model(operation).input_shape
    content: dict[str, Any] = {"EndpointName": endpoint}
    for member, declared in shape.members.items():
        value = headers.get(declared.serialization.get("name", "").lower())
        if declared.serialization.get("location") == "header" and value is not None:
            content[member] = int(value) if declared.type_name == "integer" and value.isdigit() else value
    return parse(shape, {**content, "Body": ""} if "Body" in shape.required_members else content)


def _model_error(name: str, invocation: "Invocation") -> Answer:
    status, original = invocation.status, invocation.body.decode("utf-8", "replace")
    side = "client" if status < 500 else "server"
    message = f"Received {side} error ({status}) from {invocation.variant} with message "
    return _error(
        424,
        "ModelError",
        {
            "ErrorCode": f"{side.upper()}_ERROR_FROM_MODEL",
            "LogStreamArn": f"/aws/sagemaker/Endpoints/{name}",
            "Message": f'{message}"{original}". See /aws/sagemaker/Endpoints/{name} in CloudWatch Logs.',
            "OriginalMessage": original,
            "OriginalStatusCode": status,
        },
    )


def _headers(invocation: "Invocation") -> dict[str, str]:
    found = {
        # In lower case: ministack corrects "Content-Type" to that of the API's protocol, but this one is the model's.
        "content-type": invocation.content_type,
        "x-Amzn-Invoked-Production-Variant": invocation.variant,
        "X-Amzn-SageMaker-Custom-Attributes": invocation.custom_attributes,
    }
    return {key: value for key, value in found.items() if value}


def _error(status: int, code: str, content: Mapping[str, object]) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps(content).encode()
