"""A trace as a picture: the stations in layers from left to right, each just before what it led to."""

import itertools
from graphlib import CycleError, TopologicalSorter

from cli.errors import BatonError
from cli.lineage.stations import Station, Trace
from pipeline_scripts.evidence.page.drawing import Drawing

BOX_WIDTH, BOX_HEIGHT = 216, 76
GAP_X, GAP_Y, MARGIN = 56, 22, 20
NAME_LETTERS, FACT_LETTERS = 22, 30
STYLE = """
svg { font-family: system-ui, sans-serif; background: #fff }
.station { fill: #f6f8fa; stroke: #8c959f }
.unrecorded { stroke-dasharray: 4 3 }
.subject { fill: #ddf4ff; stroke: #0969da; stroke-width: 2 }
.arrow { fill: none; stroke: #57606a; stroke-width: 1.3 }
.head { fill: #57606a }
.kind { font-size: 11px; fill: #57606a }
.name { font-size: 12px; font-weight: 600; fill: #1f2328 }
.fact { font-size: 11px; fill: #1f2328 }
"""
HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" class="head"/></marker></defs>'
)
TELLING = ("reason", "author", "status", "decision", "check", "served", "time", "rows", "mode")
"""Which fact a box shows: the first of these that its station has."""

Way = tuple[str, ...]
"""A link with the places it passes: the station it leaves, one for each layer between, the station it reaches."""


def draw(found: Trace) -> str:
    """The picture as an SVG document.

    Raises:
        BatonError: The records lead in a circle.
    """
    columns = _columns(found)
    ways = [_way(earlier, later, columns) for earlier, later in found.links]
    layers = layered(columns, ways)
    places = {
        key: (MARGIN + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y))
        for column, layer in enumerate(layers)
        for row, key in enumerate(layer)
    }
    width = 2 * MARGIN + len(layers) * (BOX_WIDTH + GAP_X) - GAP_X
    height = 2 * MARGIN + max(map(len, layers)) * (BOX_HEIGHT + GAP_Y) - GAP_Y
    drawing = Drawing(width, height)
    drawing.raw(HEAD)
    for way in ways:
        _arrow(drawing, [places[key] for key in way])
    for station in found.stations:
        _box(drawing, station, places[station.key], subject=station.key == found.subject)
    return drawing.document(f"Lineage of {found.station(found.subject).name}", STYLE)


def layered(columns: dict[str, int], ways: list[Way]) -> list[list[str]]:
    """Stations and passed places by layer, in each in the order of what leads to them, so that few ways cross."""
    columns = dict(columns)
    before: dict[str, dict[str, None]] = {key: {} for key in columns}
    for way in ways:
        for first, second in itertools.pairwise(way):
            columns.setdefault(second, columns[first] + 1)
            before.setdefault(second, {})[first] = None
    rows: dict[str, float] = {}
    layers = []
    for column in range(max(columns.values()) + 1):
        keys = [key for key, own in columns.items() if own == column]
        layer = sorted(keys, key=lambda key: (_middle(before[key], rows), key))
        rows |= {key: float(row) for row, key in enumerate(layer)}
        layers.append(layer)
    return layers


def _columns(found: Trace) -> dict[str, int]:
    """How many layers from the left each station lies: as far to the right as what it led to allows."""
    order = TopologicalSorter({station.key: found.neighbours(station.key, "down") for station in found.stations})
    try:
        order.prepare()
    except CycleError as error:
        raise BatonError(f"the records lead in a circle, which cannot be drawn: {' > '.join(error.args[1])}") from error
    from_the_right: list[tuple[str, ...]] = []
    while order.is_active():
        from_the_right.append(order.get_ready())
        order.done(*from_the_right[-1])
    return {key: column for column, keys in enumerate(reversed(from_the_right)) for key in keys}


def _way(earlier: str, later: str, columns: dict[str, int]) -> Way:
    between = range(columns[earlier] + 1, columns[later])
    return (earlier, *(f"{earlier} > {later} in {column}" for column in between), later)


def _middle(keys: dict[str, None], rows: dict[str, float]) -> float:
    return sum(rows[key] for key in keys) / len(keys) if keys else 0.0


def _arrow(drawing: Drawing, places: list[tuple[float, float]]) -> None:
    """From the right edge of the first place to the left edge of the last; straight through those between."""
    middle = BOX_HEIGHT / 2
    path = f"M{places[0][0] + BOX_WIDTH},{places[0][1] + middle}"
    for (x, y), (to_x, to_y) in itertools.pairwise(places):
        start, end, bend = x + BOX_WIDTH, to_x - 3, GAP_X / 2
        path += f" C{start + bend},{y + middle} {end - bend},{to_y + middle} {end},{to_y + middle}"
        if (to_x, to_y) != places[-1]:
            path += f" H{to_x + BOX_WIDTH}"
    drawing.path(path, "arrow", marker="head")


def _box(drawing: Drawing, station: Station, place: tuple[float, float], *, subject: bool) -> None:
    x, y = place
    style = "station subject" if subject else "station" if station.recorded else "station unrecorded"
    tip = "\n".join([station.name, *(f"{name}: {value}" for name, value in station.facts.items())])
    drawing.box(x, y, BOX_WIDTH, BOX_HEIGHT, style, round=6, tip=tip)
    drawing.text(x + 12, y + 20, station.kind, "kind")
    drawing.text(x + 12, y + 40, _shortened(station.name, NAME_LETTERS), "name")
    fact = next((f"{name} {station.facts[name]}" for name in TELLING if name in station.facts), "")
    drawing.text(x + 12, y + 60, _shortened(fact, FACT_LETTERS), "fact")


def _shortened(text: str, letters: int) -> str:
    """The beginning and the end: an ARN says what it is at its end."""
    half = letters // 2
    return text if len(text) <= letters else f"{text[:half]}…{text[-half:]}"
