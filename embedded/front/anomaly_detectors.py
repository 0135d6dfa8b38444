"""Anomaly detectors as records, which ministack's CloudWatch lacks; an alarm's band is computed without them."""

import json
from collections.abc import Mapping
from typing import Any

from embedded.front.api import ApiError, Caller, Handler, ModelledService

_SINGLE = ("Namespace", "MetricName", "Dimensions", "Stat")
Record = dict[str, Any]


class AnomalyDetectors:
    """The detectors of one account."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "PutAnomalyDetector": self._put,
            "DescribeAnomalyDetectors": self._describe,
            "DeleteAnomalyDetector": self._delete,
        }

    def service(self) -> ModelledService:
        """These actions behind CloudWatch's protocol."""
        return ModelledService(name="cloudwatch", actions=self.actions())

    def _put(self, request: Record, caller: Caller) -> Record:
        self._records[_identity(request)] = {**_described(request), "StateValue": "PENDING_TRAINING"}
        return {}

    def _describe(self, request: Record, caller: Caller) -> Record:
        wanted = {name: request[name] for name in ("Namespace", "MetricName", "Dimensions") if request.get(name)}
        found = [
            record
            for record in self._records.values()
            if all(record.get(name, []) == value for name, value in wanted.items())
        ]
        return {"AnomalyDetectors": found}

    def _delete(self, request: Record, caller: Caller) -> Record:
        if self._records.pop(_identity(request), None) is None:
            raise ApiError("ResourceNotFoundException", "There is no such anomaly detector.", status=404)
        return {}


def _described(request: Mapping[str, Any]) -> Record:
    """A detector as it is described: one of a single metric is told in both of the API's ways."""
    single = request.get("SingleMetricAnomalyDetector") or {name: request[name] for name in _SINGLE if name in request}
    return {**request, **single, **({"SingleMetricAnomalyDetector": single} if single else {})}


def _identity(request: Mapping[str, Any]) -> str:
    described = _described(request)
    members = (*_SINGLE, "MetricMathAnomalyDetector")
    return json.dumps({name: described[name] for name in members if described.get(name)}, sort_keys=True)
