"""Monitoring schedules as records: they are kept and described; what they would start runs on demand only."""

from typing import Any

from embedded.front.api import ApiError, Caller, Handler
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.plain import JOB_DEFINITIONS, already_exists, not_found
from embedded.sagemaker.store import Record, Store, now


class MonitoringSchedules:
    """The actions of monitoring schedules."""

    def __init__(self, *, store: Store) -> None:
        self._store = store
        self._listing = Listing(
            action="ListMonitoringSchedules",
            name_key="MonitoringScheduleName",
            status_key="MonitoringScheduleStatus",
        )

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreateMonitoringSchedule": self._create,
            "UpdateMonitoringSchedule": self._update,
            "DescribeMonitoringSchedule": self._describe,
            "DeleteMonitoringSchedule": self._delete,
            "ListMonitoringSchedules": self._list,
            "StartMonitoringSchedule": self._start,
            "StopMonitoringSchedule": self._stop,
        }

    def _create(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = request["MonitoringScheduleName"]
        arn = self._store.arn(f"monitoring-schedule/{name}")
        with self._store.locked():
            if name in self._records():
                raise already_exists("CreateMonitoringSchedule", "monitoring schedule", arn)
            self._check_definition(request)
            self._records()[name] = {
                **request,
                **self._target(request),
                "MonitoringScheduleArn": arn,
                "MonitoringScheduleStatus": "Scheduled",
                "CreationTime": now(),
                "LastModifiedTime": now(),
            }
            self._store.tag(arn, request.get("Tags", []))
        return {"MonitoringScheduleArn": arn}

    def _update(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request, "UpdateMonitoringSchedule")
            self._check_definition(request)
            record.update({**request, **self._target(request), "LastModifiedTime": now()})
            return {"MonitoringScheduleArn": record["MonitoringScheduleArn"]}

    def _check_definition(self, request: dict[str, Any]) -> None:
        """A schedule names a job definition that exists, or holds one itself."""
        config = request["MonitoringScheduleConfig"]
        name = config.get("MonitoringJobDefinitionName")
        if name is None:
            if "MonitoringJobDefinition" not in config:
                message = "MonitoringScheduleConfig needs a MonitoringJobDefinition or a MonitoringJobDefinitionName."
                raise ApiError("ValidationException", message)
            return
        kind = f"{config.get('MonitoringType', 'DataQuality')}JobDefinition"
        if name not in self._store.kind(kind):
            raise ApiError("ValidationException", f"There is no {kind} {name}.")

    def _target(self, request: dict[str, Any]) -> Record:
        """The type and the endpoint that a description of the schedule names."""
        config = request["MonitoringScheduleConfig"]
        name = config.get("MonitoringJobDefinitionName")
        for kind in JOB_DEFINITIONS:
            definition = self._store.kind(kind.noun).get(name, {}) if name else {}
            for key, value in definition.items():
                if key.endswith("JobInput") and "EndpointInput" in value:
                    target = {"EndpointName": value["EndpointInput"]["EndpointName"]}
                    return {**target, "MonitoringType": kind.noun.removesuffix("JobDefinition")}
        return {"MonitoringType": config.get("MonitoringType", "DataQuality")}

    def _start(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return self._set_status(request, "StartMonitoringSchedule", "Scheduled")

    def _stop(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return self._set_status(request, "StopMonitoringSchedule", "Stopped")

    def _set_status(self, request: dict[str, Any], action: str, status: str) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request, action)
            record.update({"MonitoringScheduleStatus": status, "LastModifiedTime": now()})
        return {}

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._find(request, "DescribeMonitoringSchedule"))

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request, "DeleteMonitoringSchedule")
            self._store.forget_tags(record["MonitoringScheduleArn"])
            del self._records()[record["MonitoringScheduleName"]]
        return {}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        endpoint = request.get("EndpointName")
        with self._store.locked():
            records = [r for r in self._records().values() if endpoint in (None, r.get("EndpointName"))]
            return self._listing.answer(request, records)

    def _records(self) -> dict[str, Record]:
        return self._store.kind("MonitoringSchedule")

    def _find(self, request: dict[str, Any], action: str) -> Record:
        record = self._records().get(request["MonitoringScheduleName"])
        if record is None:
            message = f"Monitoring schedule {request['MonitoringScheduleName']} does not exist."
            raise not_found(action, message)
        return record
