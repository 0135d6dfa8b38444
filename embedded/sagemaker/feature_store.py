"""The two stores of every feature group: the newest record of each identifier online, and every one of them offline."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from embedded.front.api import ApiError
from embedded.sagemaker.feature_values import checked, expiry, moment, refused
from embedded.sagemaker.offline_store import OfflineStore
from embedded.sagemaker.store import name_of, now

_STORES = ("OnlineStore", "OfflineStore")


@dataclass(frozen=True, kw_only=True)
class Online:
    """What the online store holds of one identifier; a soft-deleted record is held without its values."""

    values: Mapping[str, str] | None
    since: datetime
    expires: datetime | None


class FeatureStore:
    """Records by group and identifier.

    Args:
        client: Makes clients for the front door itself; the offline store writes through them.
    """

    def __init__(self, *, client: Callable[[str], Any]) -> None:
        self._lock = threading.Lock()
        self._groups: dict[str, Mapping[str, Any]] = {}
        self._online: dict[str, dict[str, Online]] = {}
        self._offline = OfflineStore(client=client)

    def open(self, group: Mapping[str, Any]) -> None:
        """Take records of a new group. The mapping is the control plane's own, so its updates are seen here."""
        with self._lock:
            self._groups[group["FeatureGroupName"]] = group
            self._online[group["FeatureGroupName"]] = {}

    def drop(self, name: str) -> None:
        """Forget a group's online records; what is offline stays."""
        self._offline.flush()
        with self._lock:
            self._groups.pop(name, None)
            self._online.pop(name, None)

    def put(
        self,
        reference: str,
        record: Sequence[Mapping[str, Any]],
        *,
        stores: Sequence[str] | None,
        lifetime: Mapping[str, Any] | None,
    ) -> None:
        """Take a record; online it replaces an older one alone, offline it is added in any case."""
        group = self._group(reference)
        values = checked(group, record)
        since = moment(group, values[group["EventTimeFeatureName"]])
        identifier = values[group["RecordIdentifierFeatureName"]]
        held = Online(values=values, since=since, expires=expiry(group, since, lifetime))
        if _reaches(group, "OnlineStore", stores):
            with self._lock:
                self._keep(group, identifier, held)
        if _reaches(group, "OfflineStore", stores):
            self._offline.add(group, values, since=since, deleted=False)

    def get(self, reference: str, identifier: str) -> Online | None:
        """The record of an identifier, unless there is none, it was deleted, or its time is over.

        Raises:
            ApiError: There is no such group, or it has no online store.
        """
        group = self._group(reference)
        if not _has(group, "OnlineStore"):
            raise refused(f"FeatureGroup {group['FeatureGroupName']} has no OnlineStore.")
        with self._lock:
            held = self._live(group, identifier)
        return None if held is None or held.values is None else held

    def delete(
        self, reference: str, identifier: str, event_time: str, *, stores: Sequence[str] | None, hard: bool
    ) -> None:
        """Delete the record of an identifier, and add a marker to the offline store."""
        group = self._group(reference)
        since = moment(group, event_time)
        if _reaches(group, "OnlineStore", stores):
            with self._lock:
                held = self._live(group, identifier)
                if hard and held is not None and held.since >= since:
                    raise refused("EventTime: must be later than that of the existing record.")
                if hard:
                    self._online[group["FeatureGroupName"]].pop(identifier, None)
                else:
                    self._keep(group, identifier, Online(values=None, since=since, expires=expiry(group, since, None)))
        if _reaches(group, "OfflineStore", stores):
            marker = {group["RecordIdentifierFeatureName"]: identifier, group["EventTimeFeatureName"]: event_time}
            self._offline.add(group, marker, since=since, deleted=True)

    def close(self) -> None:
        """Take no more to the offline stores."""
        self._offline.close()

    def _group(self, reference: str) -> Mapping[str, Any]:
        name = name_of(reference)
        with self._lock:
            group = self._groups.get(name)
        if group is None:
            raise ApiError("ResourceNotFound", f"Resource Not Found: FeatureGroup {name} does not exist.", status=404)
        return group

    def _live(self, group: Mapping[str, Any], identifier: str) -> Online | None:
        held = self._online[group["FeatureGroupName"]].get(identifier)
        return None if held is not None and held.expires is not None and held.expires <= now() else held

    def _keep(self, group: Mapping[str, Any], identifier: str, new: Online) -> None:
        held = self._live(group, identifier)
        if held is None or new.since > held.since:
            self._online[group["FeatureGroupName"]][identifier] = new


def _has(group: Mapping[str, Any], store: str) -> bool:
    if store == "OfflineStore":
        return "OfflineStoreConfig" in group
    return bool(group.get("OnlineStoreConfig", {}).get("EnableOnlineStore"))


def _reaches(group: Mapping[str, Any], store: str, asked: Sequence[str] | None) -> bool:
    """Whether a write goes to a store: to those asked for, which must be there, or to all that the group has."""
    for name in asked or ():
        if not _has(group, name):
            raise refused(f"FeatureGroup {group['FeatureGroupName']} has no {name}.")
    return _has(group, store) and store in (asked or _STORES)
