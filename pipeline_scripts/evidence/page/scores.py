"""Which probabilities a version gives to whom."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline_scripts.evidence.page.drawing import Drawing, Scale

WIDTH, HEIGHT = 464, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 44
_HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="5" height="5"/><rect class="hatch-line" width="2" height="5"/></pattern></defs>'
)


def distribution(bins: Sequence[Mapping[str, Any]], *, threshold: float | None) -> Markup:
    """Rows by their probability, those whose outcome was positive apart, with the threshold of the decision.

    Args:
        bins: As in evaluation.json's `calibration`: `low`, `high`, `rows`, and `positive_rate` of these rows.
        threshold: From which probability a row is called positive; None if nothing decides by it.
    """
    drawing = Drawing(WIDTH, HEIGHT)
    drawing.raw(_HATCH)
    halves = [(entry, entry["rows"] * entry["positive_rate"]) for entry in bins]
    most = max((max(entry["rows"] - positive, positive) for entry, positive in halves), default=1)
    ground = HEIGHT - BOTTOM
    x = Scale(low=0, high=1, start=LEFT, end=WIDTH - RIGHT)
    y = Scale(low=0, high=most, start=ground, end=TOP)
    drawing.x_axis(x, ground, top=TOP)
    drawing.y_axis(y, LEFT, right=WIDTH - RIGHT)
    for entry, positive in halves:
        left, wide = x(entry["low"]) + 2, (x(entry["high"]) - x(entry["low"]) - 4) / 2
        where = f"{entry['low']:g} to {entry['high']:g}"
        for place, (rows, style, outcome) in enumerate(
            ((entry["rows"] - positive, "fill base", "negative"), (positive, "hatched", "positive"))
        ):
            top = y(rows)
            drawing.box(left + place * wide, top, wide, ground - top, style, tip=f"{where}: {rows:.0f} {outcome}")
    if threshold is not None:
        drawing.line([(x(threshold), ground), (x(threshold), TOP - 6)], "limit")
        drawing.text(x(threshold) + 6, TOP - 2, f"threshold {threshold:.3g}", "limit-text")
    drawing.legend(LEFT, 12, [("rows whose outcome was negative", "fill base"), ("positive", "hatched")])
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "probability that was given", "t axis", anchor="middle")
    return drawing.markup("Distribution of the probabilities, by outcome")
