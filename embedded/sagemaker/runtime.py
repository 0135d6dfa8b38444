"""SageMaker's runtime API: a request to an endpoint, passed to the host that serves it."""

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote

from embedded.front.api import Answer
from embedded.sagemaker.endpoints import Endpoints

_PATH = re.compile(r"^/endpoints/([^/]+)/invocations$")


class Runtime:
    """Answers `POST /endpoints/{name}/invocations`."""

    def __init__(self, *, endpoints: Endpoints, account: str) -> None:
        self._endpoints = endpoints
        self._account = account

    @staticmethod
    def claims(path: str) -> bool:
        """Whether a request belongs to the runtime API; the control plane lives at `/`."""
        return path.startswith("/endpoints/")

    def answer(self, *, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Invoke an endpoint."""
        from embedded.compute.endpoint import UnknownVariant

        match = _PATH.match(path)
        if match is None:
            return _error(404, "UnknownOperationException", {"Message": f"embedded AWS does not answer {path}."})
        name = unquote(match.group(1))
        host = self._endpoints.host(name)
        if host is None:
            return _error(400, "ValidationError", {"Message": f"Endpoint {name} of account {self._account} not found."})
        try:
            invocation = host.invoke(
                body=body,
                content_type=headers.get("content-type", "application/octet-stream"),
                accept=headers.get("accept"),
                inference_id=headers.get("x-amzn-sagemaker-inference-id"),
                target_variant=headers.get("x-amzn-sagemaker-target-variant"),
                custom_attributes=headers.get("x-amzn-sagemaker-custom-attributes"),
            )
        except UnknownVariant as error:
            return _error(400, "ValidationError", {"Message": str(error)})
        if not 200 <= invocation.status < 300:
            return self._model_error(name, invocation.status, invocation.body, invocation.variant)
        return 200, _headers(invocation), invocation.body

    def _model_error(self, name: str, status: int, body: bytes, variant: str) -> Answer:
        original = body.decode("utf-8", "replace")
        message = f"Received {'client' if status < 500 else 'server'} error ({status}) from {variant} with message "
        return _error(
            424,
            "ModelError",
            {
                "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if status < 500 else "SERVER_ERROR_FROM_MODEL",
                "LogStreamArn": f"/aws/sagemaker/Endpoints/{name}",
                "Message": f'{message}"{original}". See /aws/sagemaker/Endpoints/{name} in CloudWatch Logs.',
                "OriginalMessage": original,
                "OriginalStatusCode": status,
            },
        )


def _headers(invocation: "object") -> dict[str, str]:
    found = {
        # In lower case: ministack corrects "Content-Type" to that of the API's protocol, but this one is the model's.
        "content-type": getattr(invocation, "content_type", None),
        "x-Amzn-Invoked-Production-Variant": getattr(invocation, "variant", None),
        "X-Amzn-SageMaker-Custom-Attributes": getattr(invocation, "custom_attributes", None),
    }
    return {key: value for key, value in found.items() if value}


def _error(status: int, code: str, content: Mapping[str, object]) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps(content).encode()
