"""The Feature Store's runtime API: records put, looked up and deleted, over REST and JSON."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from embedded.front.api import Answer, ApiError, HttpRequest, parse, service_model
from embedded.front.shapes import to_wire
from embedded.sagemaker.feature_store import FeatureStore, Online

LOGGER = logging.getLogger(__name__)
_SERVICE = "sagemaker-featurestore-runtime"
_GROUP = re.compile(r"^/FeatureGroup/([^/]+(?:/[^/]+)?)$")
_OPERATIONS = {"PUT": "PutRecord", "GET": "GetRecord", "DELETE": "DeleteRecord"}
Request = dict[str, Any]


class FeatureRecords:
    """Answers PutRecord, GetRecord, BatchGetRecord and DeleteRecord."""

    def __init__(self, *, store: FeatureStore) -> None:
        self._store = store
        self._handlers: dict[str, Callable[[Request], dict[str, Any]]] = {
            "PutRecord": self._put,
            "GetRecord": self._get,
            "BatchGetRecord": self._batch_get,
            "DeleteRecord": self._delete,
        }

    @staticmethod
    def claims(path: str) -> bool:
        """Whether a request belongs to this API."""
        return path == "/BatchGetRecord" or path.startswith("/FeatureGroup/")

    def answer(self, request: HttpRequest) -> Answer:
        """Answer one HTTP request."""
        try:
            operation, content = _read(request)
            response = self._handlers[operation](parse(_shape(operation, "input"), content))
        except json.JSONDecodeError as error:
            return _failure(ApiError("ValidationError", f"the request's body is not JSON: {error}"))
        except ApiError as error:
            # The control plane's name for the same thing, which this API does not declare.
            code = "ValidationError" if error.code == "ValidationException" else error.code
            return _failure(ApiError(code, str(error), status=error.status))
        except Exception as error:
            LOGGER.exception("%s %s failed", request.method, request.path)
            return _failure(ApiError("InternalFailure", f"{type(error).__name__}: {error}", status=500))
        output = _shape(operation, "output")
        return _json(200, {} if output is None else to_wire(output, response))

    def _put(self, request: Request) -> dict[str, Any]:
        self._store.put(
            request["FeatureGroupName"],
            request["Record"],
            stores=request.get("TargetStores"),
            lifetime=request.get("TtlDuration"),
        )
        return {}

    def _get(self, request: Request) -> dict[str, Any]:
        held = self._store.get(request["FeatureGroupName"], request["RecordIdentifierValueAsString"])
        return {} if held is None else _content(held, request, request)

    def _batch_get(self, request: Request) -> dict[str, Any]:
        records, errors = [], []
        for wanted in request["Identifiers"]:
            for identifier in wanted["RecordIdentifiersValueAsString"]:
                asked = {
                    "FeatureGroupName": wanted["FeatureGroupName"],
                    "RecordIdentifierValueAsString": identifier,
                }
                try:
                    held = self._store.get(wanted["FeatureGroupName"], identifier)
                except ApiError as error:
                    errors.append({**asked, "ErrorCode": error.code, "ErrorMessage": str(error)})
                    continue
                if held is not None:
                    records.append({**asked, **_content(held, wanted, request)})
        return {"Records": records, "Errors": errors, "UnprocessedIdentifiers": []}

    def _delete(self, request: Request) -> dict[str, Any]:
        self._store.delete(
            request["FeatureGroupName"],
            request["RecordIdentifierValueAsString"],
            request["EventTime"],
            stores=request.get("TargetStores"),
            hard=request.get("DeletionMode") == "HardDelete",
        )
        return {}


def _read(request: HttpRequest) -> tuple[str, Request]:
    """The operation that a request asks for, and its input from address, query and body."""
    body: Request = json.loads(request.body) if request.body else {}
    if request.path == "/BatchGetRecord" and request.method == "POST":
        return "BatchGetRecord", body
    match = _GROUP.match(unquote(request.path))
    operation = _OPERATIONS.get(request.method)
    if match is None or operation is None:
        message = f"embedded AWS does not answer {request.method} {request.path}."
        raise ApiError("UnknownOperationException", message, status=404)
    return operation, {**body, "FeatureGroupName": match.group(1), **_query(operation, request.query)}


def _query(operation: str, query: Mapping[str, list[str]]) -> Request:
    """The members that stand in the query: a list where the model says so, else one text."""
    found: Request = {}
    for name, member in _shape(operation, "input").members.items():
        if member.serialization.get("location") == "querystring" and (given := query.get(member.serialization["name"])):
            found[name] = given if member.type_name == "list" else given[0]
    return found


def _shape(operation: str, side: str) -> Any:
    return getattr(service_model(_SERVICE).operation_model(operation), f"{side}_shape")


def _content(held: Online, wanted: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it leaves: the features asked for, and when it expires if that was asked."""
    assert held.values is not None
    names = wanted.get("FeatureNames") or held.values
    found: dict[str, Any] = {
        "Record": [{"FeatureName": name, "ValueAsString": held.values[name]} for name in held.values if name in names]
    }
    if request.get("ExpirationTimeResponse") == "Enabled" and held.expires is not None:
        found["ExpiresAt"] = f"{held.expires:%Y-%m-%dT%H:%M:%SZ}"
    return found


def _json(status: int, content: Mapping[str, Any]) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def _failure(error: ApiError) -> Answer:
    status, headers, body = _json(error.status, {"Message": str(error)})
    return status, {**headers, "x-amzn-errortype": error.code}, body
