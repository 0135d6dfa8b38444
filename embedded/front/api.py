"""A JSON service driven by botocore's own model of it: parses, validates, dispatches and serialises."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from embedded.front.shapes import from_wire, to_wire, violations

LOGGER = logging.getLogger(__name__)
Answer = tuple[int, dict[str, str], bytes]


class ApiError(Exception):
    """What a service refuses, with the code and status a client sees."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls, as their access key says. Permissions are not evaluated here; identity is recorded."""

    arn: str
    principal_id: str

    def context(self) -> dict[str, Any]:
        """This caller as the `UserContext` that SageMaker records."""
        return {"IamIdentity": {"Arn": self.arn, "PrincipalId": self.principal_id}}


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """One HTTP request as it reached the front door; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: bytes


Handler = Callable[[dict[str, Any], Caller], dict[str, Any]]

_SESSION = botocore.session.Session()
_MODELS = threading.Lock()


def service_model(name: str) -> Any:
    """Load botocore's model of a service once a process; loading is not thread-safe, reading is."""
    with _MODELS:
        return _SESSION.get_service_model(name)


class ModelledService:
    """One service's actions behind its JSON protocol.

    Args:
        name: botocore's name of the service.
        actions: A handler per operation name; every other operation is refused as unknown.
    """

    def __init__(self, *, name: str, actions: Mapping[str, Handler]) -> None:
        self._name = name
        self._actions = dict(actions)

    def answer(self, *, target: str, body: bytes, caller: Caller) -> Answer:
        """Answer one HTTP request whose `X-Amz-Target` is `target`."""
        action = target.rpartition(".")[2]
        try:
            content = json.loads(body or b"{}")
            return _json(200, self._answer(action, content, caller))
        except json.JSONDecodeError as error:
            return _failure(ApiError("SerializationException", f"the request's body is not JSON: {error}"))
        except ApiError as error:
            return _failure(error)
        except Exception as error:
            LOGGER.exception("%s.%s failed", self._name, action)
            return _failure(ApiError("InternalFailure", f"{type(error).__name__}: {error}", status=500))

    def _answer(self, action: str, content: dict[str, Any], caller: Caller) -> dict[str, Any]:
        operations = service_model(self._name)
        handler = self._actions.get(action)
        if handler is None or action not in operations.operation_names:
            raise ApiError("UnknownOperationException", f"embedded AWS has no {self._name} action {action!r}.")
        operation = operations.operation_model(action)
        request = content if operation.input_shape is None else parse(operation.input_shape, content)
        response = handler(request, caller)
        return {} if operation.output_shape is None else to_wire(operation.output_shape, response)


def parse(shape: Any, content: dict[str, Any]) -> dict[str, Any]:
    """Read and validate a request.

    Raises:
        ApiError: A ValidationException that names each member at fault.
    """
    request: dict[str, Any] = from_wire(shape, content)
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ApiError("ValidationException", report.generate_report())
    found = list(violations(shape, request))
    if found:
        plural = "error" if len(found) == 1 else "errors"
        raise ApiError("ValidationException", f"{len(found)} validation {plural} detected: {'; '.join(found)}")
    return request


def _json(status: int, content: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()


def _failure(error: ApiError) -> Answer:
    status, headers, body = _json(error.status, {"__type": error.code, "message": str(error)})
    return status, {**headers, "x-amzn-errortype": error.code}, body
