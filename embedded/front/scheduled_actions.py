"""Scheduled actions of Application Auto Scaling: records, and which of them have come due."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ministack.services import eventbridge, scheduler

from embedded.front.api import ApiError, Caller, Handler

Record = dict[str, Any]
_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension", "ScheduledActionName")


class ScheduledActions:
    """The scheduled actions of all targets.

    Args:
        prefix: What the actions' ARNs begin with.
        require: Raises what the API answers for a target that is not registered.
    """

    def __init__(self, *, prefix: str, require: Callable[[Record], None]) -> None:
        self._prefix = prefix
        self._require = require
        self._records: dict[tuple[str, ...], Record] = {}

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "PutScheduledAction": self._put,
            "DescribeScheduledActions": self._describe,
            "DeleteScheduledAction": self._delete,
        }

    def due(self, since: datetime, moment: datetime) -> list[Record]:
        """The actions that came due after one moment and until another."""
        return [record for record in list(self._records.values()) if is_due(record, since, moment)]

    def forget(self, target: Record) -> None:
        """Drop the actions of a target that is gone."""
        for key in [key for key in self._records if key[:3] == tuple(target[name] for name in _KEY[:3])]:
            del self._records[key]

    def _put(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self._require(request)
        key = tuple(request[name] for name in _KEY)
        known = self._records.get(key)
        if known is None and not {"Schedule", "ScalableTargetAction"} <= request.keys():
            raise ApiError("ValidationException", "Schedule and ScalableTargetAction are required for a new action.")
        record = {**(known or self._new(request)), **request}
        if not _readable(record["Schedule"]):
            raise ApiError("ValidationException", f"The schedule {record['Schedule']!r} is no at(), rate() or cron().")
        self._records[key] = record
        return {}

    def _new(self, request: Record) -> Record:
        resource = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
        name = f"scheduledActionName/{request['ScheduledActionName']}"
        arn = f"{self._prefix}:scheduledAction:{uuid.uuid4()}:{resource}:{name}"
        return {"ScheduledActionARN": arn, "CreationTime": datetime.now(UTC)}

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        names = request.get("ScheduledActionNames")
        found = [
            record
            for record in self._records.values()
            if all(request.get(name) in (None, record[name]) for name in _KEY[:3])
            and (names is None or record["ScheduledActionName"] in names)
        ]
        return {"ScheduledActions": found}

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if self._records.pop(tuple(request[name] for name in _KEY), None) is None:
            message = f"No scheduled action found: {request['ScheduledActionName']}"
            raise ApiError("ObjectNotFoundException", message)
        return {}


def _readable(schedule: str) -> bool:
    return (
        scheduler._at_time_epoch(schedule) is not None
        or eventbridge._parse_rate_seconds(schedule) is not None
        or eventbridge._parse_cron_fields(schedule) is not None
    )


def is_due(record: Record, since: datetime, moment: datetime) -> bool:
    """Whether an action's schedule has a time after `since` and not after `moment`."""
    if record.get("StartTime") and moment < record["StartTime"]:
        return False
    if record.get("EndTime") and moment > record["EndTime"]:
        return False
    schedule, zone = record["Schedule"], ZoneInfo(record.get("Timezone", "UTC"))
    if schedule.startswith("at("):
        at = datetime.fromisoformat(schedule[3:-1]).replace(tzinfo=zone)
        return since < at <= moment
    interval = eventbridge._parse_rate_seconds(schedule)
    if interval is not None:
        begun: datetime = record.get("StartTime") or record["CreationTime"]
        return (moment - begun) // timedelta(seconds=interval) > (since - begun) // timedelta(seconds=interval)
    # The walk begins a minute after what it is given, so that a time in the running minute is not passed over.
    fields, before = eventbridge._parse_cron_fields(schedule), since.astimezone(zone) - timedelta(minutes=1)
    while (following := eventbridge._cron_next_fire(fields, before)) is not None and following <= moment:
        if following > since:
            return True
        before = following
    return False
