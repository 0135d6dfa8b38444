"""The graph that a trace is: stations, and which of them led to which."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Direction = Literal["up", "down"]


@dataclass(frozen=True, kw_only=True)
class Station:
    """One station: what it is, its name, and what is known of it.

    `key` is its address, the same whoever tells of it. `recorded` says whether SageMaker Lineage
    knows it; where it does not, the registry or the ledger does.
    """

    kind: str
    name: str
    facts: dict[str, str]
    key: str
    recorded: bool = False


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The stations around a subject: the subject first, then what made it, nearest first, then what came of it.

    Each link leads from the earlier station to the later one. `missing` tells in sentences what could not be told.
    """

    subject: str
    stations: tuple[Station, ...]
    links: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]

    def station(self, key: str) -> Station:
        """The station at an address."""
        return next(station for station in self.stations if station.key == key)

    def neighbours(self, key: str, direction: Direction) -> list[str]:
        """What led to a station, or what it led to."""
        ends = [(later, earlier) if direction == "up" else (earlier, later) for earlier, later in self.links]
        return [there for here, there in ends if here == key]


@dataclass
class Graph:
    """Stations and links as they are found, in whatever order; who tells of a station first names it."""

    stations: dict[str, Station] = field(default_factory=dict)
    links: dict[tuple[str, str], None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def add(self, station: Station) -> str:
        """Keep a station, or what is new in it; answer its address."""
        known = self.stations.get(station.key, station)
        told = {name: value for name, value in station.facts.items() if value}
        self.stations[station.key] = replace(
            known, facts={**told, **known.facts}, recorded=known.recorded or station.recorded
        )
        return station.key

    def link(self, earlier: str, later: str) -> None:
        """Keep that one station led to another."""
        self.links[earlier, later] = None

    def around(self, subject: str, directions: Iterable[Direction]) -> Trace:
        """What the subject is connected with by ways that run in one direction only."""
        kept = {subject: None}
        for direction in directions:
            kept |= dict.fromkeys(reached([subject], self._step(direction)))
        links = tuple((earlier, later) for earlier, later in self.links if earlier in kept and later in kept)
        stations = tuple(self.stations[key] for key in kept)
        return Trace(subject=subject, stations=stations, links=links, missing=tuple(self.missing))

    def _step(self, direction: Direction) -> Callable[[str], list[str]]:
        beside: dict[str, list[str]] = {}
        for earlier, later in self.links:
            here, there = (later, earlier) if direction == "up" else (earlier, later)
            beside.setdefault(here, []).append(there)
        return lambda key: beside.get(key, [])


def reached(starts: Iterable[str], step: Callable[[str], Iterable[str]]) -> list[str]:
    """Everything that steps lead to from the starts, nearest first, the starts among it."""
    seen = dict.fromkeys(starts)
    waiting = deque(seen)
    while waiting:
        for there in step(waiting.popleft()):
            if there not in seen:
                seen[there] = None
                waiting.append(there)
    return list(seen)
