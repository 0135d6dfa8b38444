"""A trace as a picture: the stations in layers from left to right, each behind everything that led to it."""

from graphlib import CycleError, TopologicalSorter

from cli.errors import BatonError
from cli.lineage.stations import Station, Trace
from cli.report.drawing import Drawing

BOX_WIDTH, BOX_HEIGHT = 216, 76
GAP_X, GAP_Y, MARGIN = 56, 22, 20
LETTERS = 33
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
TELLING = ("author", "reason", "status", "decision", "check", "served", "time", "rows")
"""Which fact a box shows: the first of these that its station has."""


def draw(found: Trace) -> str:
    """The picture as an SVG document."""
    layers = layered(found)
    places = {
        key: (MARGIN + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y))
        for column, layer in enumerate(layers)
        for row, key in enumerate(layer)
    }
    width = 2 * MARGIN + len(layers) * (BOX_WIDTH + GAP_X) - GAP_X
    height = 2 * MARGIN + max(map(len, layers)) * (BOX_HEIGHT + GAP_Y) - GAP_Y
    drawing = Drawing(width, height)
    drawing.raw(HEAD)
    for earlier, later in found.links:
        _arrow(drawing, places[earlier], places[later])
    for station in found.stations:
        _box(drawing, station, places[station.key], subject=station.key == found.subject)
    return drawing.document(f"Lineage of {found.station(found.subject).name}", STYLE)


def layered(found: Trace) -> list[list[str]]:
    """The stations' addresses by layer; in a layer they lie in the order of what led to them.

    Raises:
        BatonError: The records lead in a circle.
    """
    order = TopologicalSorter({station.key: found.neighbours(station.key, "up") for station in found.stations})
    try:
        order.prepare()
    except CycleError as error:
        raise BatonError(f"the records lead in a circle, which cannot be drawn: {' > '.join(error.args[1])}") from error
    layers: list[list[str]] = []
    height: dict[str, float] = {}
    while order.is_active():
        ready = list(order.get_ready())
        layer = sorted(ready, key=lambda key: (_middle(found.neighbours(key, "up"), height), key))
        height |= {key: float(row) for row, key in enumerate(layer)}
        layers.append(layer)
        order.done(*ready)
    return layers


def _middle(keys: list[str], height: dict[str, float]) -> float:
    return sum(height[key] for key in keys) / len(keys) if keys else 0.0


def _arrow(drawing: Drawing, start: tuple[float, float], end: tuple[float, float]) -> None:
    x, y = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT / 2
    to_x, to_y = end[0] - 3, end[1] + BOX_HEIGHT / 2
    bend = GAP_X / 2
    drawing.path(f"M{x},{y} C{x + bend},{y} {to_x - bend},{to_y} {to_x},{to_y}", "arrow", marker="head")


def _box(drawing: Drawing, station: Station, place: tuple[float, float], *, subject: bool) -> None:
    x, y = place
    style = "station subject" if subject else "station" if station.recorded else "station unrecorded"
    tip = "\n".join([station.name, *(f"{name}: {value}" for name, value in station.facts.items())])
    drawing.box(x, y, BOX_WIDTH, BOX_HEIGHT, style, round=6, tip=tip)
    drawing.text(x + 12, y + 20, station.kind, "kind")
    drawing.text(x + 12, y + 40, _shortened(station.name), "name")
    fact = next((f"{name} {station.facts[name]}" for name in TELLING if name in station.facts), "")
    drawing.text(x + 12, y + 60, _shortened(fact), "fact")


def _shortened(text: str) -> str:
    """The beginning and the end: an ARN says what it is at its end."""
    half = LETTERS // 2
    return text if len(text) <= LETTERS else f"{text[:half]}…{text[-half:]}"
