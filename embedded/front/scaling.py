"""Application Auto Scaling: scalable targets, policies and what they did, as records."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from embedded.front.api import ApiError, Caller, Handler, ModelledService
from embedded.front.scheduled_actions import ScheduledActions

_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
Record = dict[str, Any]


class ApplicationAutoScaling:
    """The actions of Application Auto Scaling that a template's targets and policies need.

    Args:
        account: The account's id.
        region: The region's name.
        exists: Whether the thing that a resource id names is there; a target of nothing is refused.
    """

    def __init__(self, *, account: str, region: str, exists: Callable[[str], bool]) -> None:
        self._prefix = f"arn:aws:autoscaling:{region}:{account}"
        self._target_prefix = f"arn:aws:application-autoscaling:{region}:{account}:scalable-target"
        self._exists = exists
        self._lock = threading.RLock()
        self._activities: list[Record] = []
        self._scheduled = ScheduledActions(prefix=self._prefix, require=lambda request: self._require(request))
        self._targets: dict[tuple[str, ...], Record] = {}
        self._policies: dict[tuple[str, ...], Record] = {}

    def service(self) -> ModelledService:
        """This API behind its protocol."""
        return ModelledService(
            name="application-autoscaling",
            actions={
                "RegisterScalableTarget": self._register,
                "DescribeScalableTargets": self._describe_targets,
                "DeregisterScalableTarget": self._deregister,
                "PutScalingPolicy": self._put_policy,
                "DescribeScalingPolicies": self._describe_policies,
                "DeleteScalingPolicy": self._delete_policy,
                "DescribeScalingActivities": self._describe_activities,
                **self._scheduled.actions(),
                **self._tag_actions(),
            },
        )

    def registered(self, resource_id: str) -> bool:
        """Whether a resource is a scalable target, in whichever dimension."""
        with self._lock:
            return any(target["ResourceId"] == resource_id for target in self._targets.values())

    def targets(self) -> list[Record]:
        """The scalable targets."""
        with self._lock:
            return [dict(target) for target in self._targets.values()]

    def policies_of(self, target: Record) -> list[Record]:
        """The policies of one target."""
        with self._lock:
            return [dict(policy) for key, policy in self._policies.items() if key[:-1] == _key(target)]

    def bounds_due(self, since: datetime, moment: datetime) -> list[tuple[Record, str]]:
        """Give targets the bounds that have come due; answers each such target and its action's name."""
        changed = []
        with self._lock:
            for action in self._scheduled.due(since, moment):
                target = self._target(_key(action))
                if not target.get("SuspendedState", {}).get("ScheduledScalingSuspended"):
                    target.update(action["ScalableTargetAction"])
                    changed.append((dict(target), str(action["ScheduledActionName"])))
        return changed

    def note_activity(self, target: Record, capacity: int, *, cause: str) -> None:
        """Record that a target got another capacity."""
        moment = datetime.now(UTC)
        activity = {name: target[name] for name in _TARGET} | {
            "ActivityId": str(uuid.uuid4()),
            "Description": f"Setting desired instance count to {capacity}.",
            "Cause": cause,
            "StartTime": moment,
            "EndTime": moment,
            "StatusCode": "Successful",
        }
        with self._lock:
            self._activities.insert(0, activity)

    def _describe_activities(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._lock:
            return {"ScalingActivities": [activity for activity in self._activities if _wanted(activity, request)]}

    def _require(self, request: Record) -> None:
        with self._lock:
            self._target(_key(request))

    def _tag_actions(self) -> dict[str, Handler]:
        return {"TagResource": self._tag, "ListTagsForResource": self._list_tags}

    def _register(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if not self._exists(request["ResourceId"]):
            raise ApiError("ValidationException", f"No scalable resource found: {request['ResourceId']}")
        key = _key(request)
        with self._lock:
            known = self._targets.get(key)
            if known is None and not {"MinCapacity", "MaxCapacity"} <= request.keys():
                raise ApiError("ValidationException", "MinCapacity and MaxCapacity are required for a new target.")
            arn = f"{self._target_prefix}/{uuid.uuid4().hex[:12]}"
            new = {"ScalableTargetARN": arn, "CreationTime": datetime.now(UTC), "RoleARN": ""}
            target = {**(known or new), **request}
            if target["MinCapacity"] > target["MaxCapacity"]:
                raise ApiError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
            self._targets[key] = target
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    def _describe_targets(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        ids = request.get("ResourceIds")
        with self._lock:
            found = [t for t in self._targets.values() if _wanted(t, request) and ids_match(t, ids)]
        return {"ScalableTargets": found}

    def _deregister(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        key = _key(request)
        with self._lock:
            self._scheduled.forget(self._target(key))
            del self._targets[key]
            for policy in [policy for policy in self._policies if policy[:-1] == key]:
                del self._policies[policy]
        return {}

    def _put_policy(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        key = _key(request)
        with self._lock:
            self._target(key)
            identity = (*key, request["PolicyName"])
            resource = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
            name = f"policyName/{request['PolicyName']}"
            arn = f"{self._prefix}:scalingPolicy:{uuid.uuid4()}:{resource}:{name}"
            new = {"PolicyARN": arn, "CreationTime": datetime.now(UTC), "Alarms": []}
            policy = {**self._policies.get(identity, new), **request}
            self._policies[identity] = policy
        return {"PolicyARN": policy["PolicyARN"], "Alarms": []}

    def _describe_policies(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        names = request.get("PolicyNames")
        with self._lock:
            found = [
                policy
                for policy in self._policies.values()
                if _wanted(policy, request) and (names is None or policy["PolicyName"] in names)
            ]
        return {"ScalingPolicies": found}

    def _delete_policy(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        identity = (*_key(request), request["PolicyName"])
        with self._lock:
            if self._policies.pop(identity, None) is None:
                raise ApiError("ObjectNotFoundException", f"No scaling policy found: {request['PolicyName']}")
        return {}

    def _tag(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._lock:
            self._by_arn(request["ResourceARN"]).setdefault("Tags", {}).update(request["Tags"])
        return {}

    def _list_tags(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._lock:
            return {"Tags": dict(self._by_arn(request["ResourceARN"]).get("Tags", {}))}

    def _by_arn(self, arn: str) -> Record:
        for target in self._targets.values():
            if target["ScalableTargetARN"] == arn:
                return target
        raise ApiError("ResourceNotFoundException", f"No scalable target found: {arn}")

    def _target(self, key: tuple[str, ...]) -> Record:
        target = self._targets.get(key)
        if target is None:
            raise ApiError("ObjectNotFoundException", f"No scalable target registered for {' '.join(key)}")
        return target


def ids_match(record: Record, ids: list[str] | None) -> bool:
    """Whether a record is among the resource ids asked for; None asks for all."""
    return ids is None or record["ResourceId"] in ids


def _key(request: Record) -> tuple[str, ...]:
    return tuple(request[name] for name in _TARGET)


def _wanted(record: Record, request: Record) -> bool:
    """Whether a record has the namespace, resource and dimension that the request names."""
    return all(request.get(name) in (None, record[name]) for name in _TARGET)
