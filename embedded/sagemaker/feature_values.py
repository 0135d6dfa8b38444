"""What the Feature Store makes of a record: which values it takes, when it holds and until when."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from embedded.front.api import ApiError

RESERVED = frozenset({"is_deleted", "write_time", "api_invocation_time"})
_FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ")
_UNITS = {"Seconds": 1, "Minutes": 60, "Hours": 3600, "Days": 86400, "Weeks": 604800}
_INTEGRAL = range(-(2**63), 2**63)


def types_of(group: Mapping[str, Any]) -> dict[str, str]:
    """The features of a group and their types."""
    return {item["FeatureName"]: item["FeatureType"] for item in group["FeatureDefinitions"]}


def checked(group: Mapping[str, Any], record: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The values of a record by feature.

    Raises:
        ApiError: A ValidationError that names the feature at fault.
    """
    types = types_of(group)
    values: dict[str, str] = {}
    for item in record:
        name = item["FeatureName"]
        if name not in types:
            raise refused(f"Validation Error: FeatureName [{name}] does not exist in FeatureGroup.")
        if name in values:
            raise refused(f"Validation Error: FeatureName [{name}] stands in the record twice.")
        if "ValueAsString" not in item:
            raise refused(f"Validation Error: FeatureName [{name}] is no collection and needs ValueAsString.")
        values[name] = item["ValueAsString"]
        typed(values[name], types[name], name)
    for role in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if not values.get(group[role]):
            raise refused(f"Validation Error: {role} [{group[role]}] is missing from the record.")
    moment(group, values[group["EventTimeFeatureName"]])
    return values


def typed(text: str, kind: str, name: str) -> int | float | str:
    """A value in the type of its feature.

    Raises:
        ApiError: It is not of that type.
    """
    fault = refused(f"Validation Error: FeatureName [{name}] must be of type {kind}. Value: '{text}'")
    if kind == "String":
        return text
    try:
        value = int(text) if kind == "Integral" else float(text)
    except ValueError as error:
        raise fault from error
    if not math.isfinite(value) or (kind == "Integral" and value not in _INTEGRAL):
        raise fault
    return value


def moment(group: Mapping[str, Any], event_time: str) -> datetime:
    """When a record holds from.

    Raises:
        ApiError: The text is neither of the two formats of ISO 8601, nor a Unix time where the feature is Fractional.
    """
    name = group["EventTimeFeatureName"]
    if types_of(group)[name] == "Fractional":
        return datetime.fromtimestamp(float(typed(event_time, "Fractional", name)), UTC)
    for form in _FORMATS:
        try:
            return datetime.strptime(event_time, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise refused(f"Validation Error: EventTimeFeatureName [{name}] must be in ISO-8601 format. Value: '{event_time}'")


def expiry(group: Mapping[str, Any], since: datetime, lifetime: Mapping[str, Any] | None) -> datetime | None:
    """When a record expires: by its own lifetime, else by its group's, else never."""
    given = lifetime or group.get("OnlineStoreConfig", {}).get("TtlDuration")
    return since + timedelta(seconds=_UNITS[given["Unit"]] * given["Value"]) if given else None


def refused(message: str) -> ApiError:
    """What the runtime API answers to a faulty request."""
    return ApiError("ValidationError", message)
