"""Lineage's associations, and the question that walks along them."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from embedded.front.api import ApiError, Caller, Handler
from embedded.sagemaker.lineage_entities import KINDS, TRIAL_COMPONENT, EntityKind
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.store import Record, Store, now

_DEPTH = 10
_RESULTS = 50
Edge = tuple[str, str]


class LineageGraph:
    """AddAssociation, DeleteAssociation, ListAssociations and QueryLineage."""

    def __init__(self, *, store: Store) -> None:
        self._store = store
        self._listing = Listing(action="ListAssociations", name_key="SourceArn")

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "AddAssociation": self._add,
            "DeleteAssociation": self._delete,
            "ListAssociations": self._list,
            "QueryLineage": self._query,
        }

    def _add(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        source, destination = request["SourceArn"], request["DestinationArn"]
        with self._store.locked():
            ends = [self._entity(arn)[0] for arn in (source, destination)]
            if all(kind is TRIAL_COMPONENT for kind in ends):
                raise ApiError("ValidationException", "Two experiment entities cannot be associated.")
            if (source, destination) in self._associations():
                raise ApiError("ValidationException", f"An association of {source} and {destination} already exists.")
            associate(self._store, source, destination, request.get("AssociationType"), {"CreatedBy": caller.context()})
        return {"SourceArn": source, "DestinationArn": destination}

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        ends = request["SourceArn"], request["DestinationArn"]
        with self._store.locked():
            if self._associations().pop(ends, None) is None:
                raise ApiError("ResourceNotFound", f"{ends[0]} and {ends[1]} are not associated.")
        return {"SourceArn": ends[0], "DestinationArn": ends[1]}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        wanted = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
        with self._store.locked():
            described = [self._summary(record) for record in self._associations().values()]
            chosen = [
                summary
                for summary in described
                if all(request.get(name) in (None, summary.get(name)) for name in wanted)
            ]
            return self._listing.answer(request, chosen)

    def _summary(self, record: Record) -> Record:
        ends: Record = {}
        for end in ("Source", "Destination"):
            kind, entity = self._entity(record[f"{end}Arn"])
            ends |= {f"{end}Type": vertex_type(kind, entity), f"{end}Name": entity.get(kind.name_key)}
        return {**record, **ends}

    def _query(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        starts = request.get("StartArns") or []
        if not starts:
            raise ApiError("ValidationException", "StartArns must name at least one entity.")
        offset = _offset(request.get("NextToken"))
        size = request.get("MaxResults") or _RESULTS
        with self._store.locked():
            for arn in starts:
                self._entity(arn)
            walked = self._walk(starts, request.get("Direction", "Both"), request.get("MaxDepth") or _DEPTH)
            matching = [arn for arn in _met(starts, walked) if self._matches(arn, request.get("Filters", {}))]
            with_edges = request.get("IncludeEdges", True)
            found = _on_the_way(matching, walked, starts) if with_edges else matching
            page = found[offset : offset + size]
            answer: dict[str, Any] = {"Vertices": [self._vertex(arn) for arn in page]}
            if with_edges:
                known = {*starts, *found}
                edges = [edge for edge in dict.fromkeys(_edges(walked)) if known.issuperset(edge)]
                answer["Edges"] = [self._edge(edge) for edge in edges if not set(page).isdisjoint(edge)]
        if offset + size < len(found):
            answer["NextToken"] = str(offset + size)
        return answer

    def _walk(self, starts: Iterable[str], direction: str, depth: int) -> list[tuple[str, str, Edge]]:
        """Every step from one entity to the next, nearest first: where from, where to, along which association."""
        up, down = direction in ("Ascendants", "Both"), direction in ("Descendants", "Both")
        neighbours: dict[str, list[tuple[str, Edge]]] = {}
        for source, destination in self._associations():
            if up:
                neighbours.setdefault(destination, []).append((source, (source, destination)))
            if down:
                neighbours.setdefault(source, []).append((destination, (source, destination)))
        steps: list[tuple[str, str, Edge]] = []
        seen = dict.fromkeys(starts, 0)
        waiting = deque(seen)
        while waiting:
            arn = waiting.popleft()
            if seen[arn] == depth:
                continue
            for other, edge in neighbours.get(arn, []):
                steps.append((arn, other, edge))
                if other not in seen:
                    seen[other] = seen[arn] + 1
                    waiting.append(other)
        return steps

    def _matches(self, arn: str, filters: Mapping[str, Any]) -> bool:
        kind, entity = self._entity(arn)
        properties = entity.get("Properties", {})
        return (
            ("Types" not in filters or vertex_type(kind, entity) in filters["Types"])
            and ("LineageTypes" not in filters or kind.noun in filters["LineageTypes"])
            and ("CreatedBefore" not in filters or entity["CreationTime"] <= filters["CreatedBefore"])
            and ("CreatedAfter" not in filters or entity["CreationTime"] >= filters["CreatedAfter"])
            and ("ModifiedBefore" not in filters or entity["LastModifiedTime"] <= filters["ModifiedBefore"])
            and ("ModifiedAfter" not in filters or entity["LastModifiedTime"] >= filters["ModifiedAfter"])
            and all(properties.get(name) == value for name, value in filters.get("Properties", {}).items())
        )

    def _vertex(self, arn: str) -> Record:
        kind, entity = self._entity(arn)
        return {"Arn": arn, "Type": vertex_type(kind, entity), "LineageType": kind.noun}

    def _edge(self, edge: Edge) -> Record:
        record = self._associations()[edge]
        return {name: record.get(name) for name in ("SourceArn", "DestinationArn", "AssociationType")}

    def _entity(self, arn: str) -> tuple[EntityKind, Record]:
        for kind in KINDS:
            record = self._store.kind(kind.noun).get(arn)
            if record is not None:
                return kind, record
        raise ApiError("ResourceNotFound", f"{arn} is no entity of lineage.")

    def _associations(self) -> dict[Any, Record]:
        return self._store.kind("Association")


def associate(
    store: Store, source: str, destination: str, kind: str | None, more: Mapping[str, Any] | None = None
) -> None:
    """Keep that one entity leads to another."""
    associations: dict[Any, Record] = store.kind("Association")
    ends = {"SourceArn": source, "DestinationArn": destination}
    associations[source, destination] = {**ends, "AssociationType": kind, "CreationTime": now(), **(more or {})}


def vertex_type(kind: EntityKind, entity: Mapping[str, Any]) -> str:
    """What an entity stands for, in one word: its own type, or the kind of job of a trial component."""
    if kind is TRIAL_COMPONENT:
        return str(entity["Source"]["SourceType"]).removeprefix("SageMaker")
    return str(entity[kind.type_key])


def _met(starts: Iterable[str], walked: Iterable[tuple[str, str, Edge]]) -> list[str]:
    return [arn for arn in dict.fromkeys(other for _, other, _ in walked) if arn not in starts]


def _on_the_way(matching: list[str], walked: list[tuple[str, str, Edge]], starts: Iterable[str]) -> list[str]:
    """What matches, and what lies between it and a start."""
    backwards: dict[str, list[str]] = {}
    for arn, other, _ in walked:
        backwards.setdefault(other, []).append(arn)
    kept, waiting = set(matching), list(matching)
    while waiting:
        for arn in backwards.get(waiting.pop(), []):
            if arn not in kept:
                kept.add(arn)
                waiting.append(arn)
    return [arn for arn in _met(starts, walked) if arn in kept]


def _edges(walked: Iterable[tuple[str, str, Edge]]) -> list[Edge]:
    return [edge for _, _, edge in walked]


def _offset(token: str | None) -> int:
    if token is not None and not token.isdigit():
        raise ApiError("ValidationException", f"NextToken {token!r} was not issued by this service.")
    return int(token or 0)
