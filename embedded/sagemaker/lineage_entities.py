"""Lineage's entities: artifacts, actions and contexts that anybody may record, trial components that jobs bring."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded.front.api import ApiError, Caller, Handler
from embedded.sagemaker.kinds import ResourceKind
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.store import Record, Store, name_of, now


@dataclass(frozen=True, kw_only=True)
class EntityKind(ResourceKind):
    """One kind of entity; the store keeps them by their ARNs."""

    @property
    def type_key(self) -> str:
        """The member that says what it stands for."""
        return f"{self.noun}Type"

    def reference(self, request: Mapping[str, Any]) -> str | None:
        """How a request names an entity: artifacts go by their ARN, the others by name."""
        return request.get(self.arn_key if self is ARTIFACT else self.name_key)


ARTIFACT = EntityKind(noun="Artifact", path="artifact")
ACTION = EntityKind(noun="Action", path="action")
CONTEXT = EntityKind(noun="Context", path="context")
TRIAL_COMPONENT = EntityKind(noun="TrialComponent", path="experiment-trial-component")
RECORDED = (ARTIFACT, ACTION, CONTEXT)
KINDS = (*RECORDED, TRIAL_COMPONENT)
_CHANGEABLE = ("ArtifactName", "Description", "Status")


class LineageEntities:
    """The actions on entities. An entity is there once: a second creation is refused, as the service's guide says."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        found: dict[str, Handler] = {}
        for kind in RECORDED:
            found |= {
                f"Create{kind.noun}": self._creator(kind),
                f"Update{kind.noun}": self._updater(kind),
                f"Delete{kind.noun}": self._deleter(kind),
            }
        for kind in KINDS:
            found |= {f"Describe{kind.noun}": self._describer(kind), f"List{kind.noun}s": self._lister(kind)}
        return found

    def _creator(self, kind: EntityKind) -> Handler:
        def create(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            with self._store.locked():
                arn = arn_of(self._store, kind, request)
                if arn in self._store.kind(kind.noun):
                    raise ApiError("ValidationException", f"{kind.noun} {arn} already exists.")
                add(self._store, kind, {**request, "CreatedBy": caller.context()})
                self._store.tag(arn, request.get("Tags", []))
            return {kind.arn_key: arn}

        return create

    def _updater(self, kind: EntityKind) -> Handler:
        def update(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            with self._store.locked():
                record = self._find(kind, request)
                # What is given takes the place of all there was, as the API's reference says.
                properties: dict[str, str] = request.get("Properties") or record.get("Properties") or {}
                removed = request.get("PropertiesToRemove", [])
                kept = {name: value for name, value in properties.items() if name not in removed}
                record.update({name: request[name] for name in _CHANGEABLE if name in request})
                record.update({"Properties": kept, "LastModifiedTime": now(), "LastModifiedBy": caller.context()})
                return {kind.arn_key: record[kind.arn_key]}

        return update

    def _deleter(self, kind: EntityKind) -> Handler:
        def delete(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            with self._store.locked():
                arn = self._find(kind, request)[kind.arn_key]
                if any(arn in ends for ends in self._store.kind("Association")):
                    raise ApiError("ValidationException", f"{arn} has associations; delete them first.")
                self._store.forget_tags(arn)
                del self._store.kind(kind.noun)[arn]
            return {kind.arn_key: arn}

        return delete

    def _describer(self, kind: EntityKind) -> Handler:
        def describe(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            with self._store.locked():
                return dict(self._find(kind, request))

        return describe

    def _lister(self, kind: EntityKind) -> Handler:
        listing = Listing(action=f"List{kind.noun}s", name_key=kind.name_key)

        def list_them(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            source = request.get("SourceUri") or request.get("SourceArn")
            wanted = request.get(kind.type_key)
            with self._store.locked():
                chosen = [
                    record
                    for record in self._store.kind(kind.noun).values()
                    if (source is None or source == source_of(record)) and wanted in (None, record.get(kind.type_key))
                ]
                return listing.answer(request, chosen)

        return list_them

    def _find(self, kind: EntityKind, request: Mapping[str, Any]) -> Record:
        reference = kind.reference(request)
        if reference is None and "Source" not in request:
            raise ApiError("ValidationException", f"{kind.arn_key} or Source must be given.")
        arn = arn_of(self._store, kind, request) if reference is None else _arn(self._store, kind, reference)
        record = self._store.kind(kind.noun).get(arn)
        if record is None:
            raise ApiError("ResourceNotFound", f"{kind.noun} {arn} does not exist.")
        return record


def add(store: Store, kind: EntityKind, request: Mapping[str, Any]) -> str:
    """Keep a new entity, and answer its ARN."""
    arn = arn_of(store, kind, request)
    record = {name: value for name, value in request.items() if name != "Tags"}
    store.kind(kind.noun)[arn] = {**record, kind.arn_key: arn, "CreationTime": now(), "LastModifiedTime": now()}
    return arn


def arn_of(store: Store, kind: EntityKind, request: Mapping[str, Any]) -> str:
    """The ARN an entity has or will have: an artifact's is made of its source, which is therefore there but once."""
    if kind is ARTIFACT:
        digest = hashlib.md5(request["Source"]["SourceUri"].encode(), usedforsecurity=False).hexdigest()
        return store.arn(f"{kind.path}/{digest}")
    return _arn(store, kind, request[kind.name_key])


def source_of(record: Mapping[str, Any]) -> str:
    """What an entity stands for: a URI, or the ARN of a job."""
    source = record["Source"]
    return str(source.get("SourceUri") or source.get("SourceArn"))


def _arn(store: Store, kind: EntityKind, reference: str) -> str:
    return store.arn(f"{kind.path}/{name_of(reference).lower()}")
