"""Bias after training, with the bounds the gate holds it to."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline_scripts.evidence.page.drawing import Drawing, Scale

ROW, LEFT, WIDTH, RIGHT = 30, 172, 464, 52


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """A bias metric of one facet value, and what it must lie between."""

    metric: str
    facet_value: str
    value: float
    low: float
    high: float

    @property
    def within(self) -> bool:
        """Whether the gate is content."""
        return self.low <= self.value <= self.high


def bounds(metrics: Sequence[Bounded]) -> Markup:
    """A row a metric and facet value: the band that is allowed, and where the version lies."""
    reach = max((abs(edge) for entry in metrics for edge in (entry.low, entry.high, entry.value)), default=1) * 1.15
    height = ROW * len(metrics) + 40
    drawing = Drawing(WIDTH, height)
    x = Scale(low=-reach, high=reach, start=LEFT, end=WIDTH - RIGHT)
    drawing.x_axis(x, height - 34, top=4, form="+.2f", count=4)
    drawing.text(
        (LEFT + WIDTH - RIGHT) / 2, height - 4, "0 means the groups are treated alike", "t axis", anchor="middle"
    )
    for place, entry in enumerate(metrics):
        middle = 4 + place * ROW + ROW / 2
        drawing.text(LEFT - 14, middle + 4, f"{entry.metric}   {entry.facet_value}", "t", anchor="end")
        drawing.box(x(entry.low), middle - 7, x(entry.high) - x(entry.low), 14, "allowed", round=7)
        verdict = "within" if entry.within else "outside"
        tip = f"{entry.metric} for {entry.facet_value}: {entry.value:+.4f}, {verdict} {entry.low:+g} to {entry.high:+g}"
        if entry.within:
            drawing.dot(x(entry.value), middle, 5.5, "mark", tip=tip)
        else:
            drawing.cross(x(entry.value), middle, 6, "mark bad", tip=tip)
        drawing.text(WIDTH - RIGHT + 12, middle + 4, f"{entry.value:+.3f}", "t tick")
    drawing.line([(x(0), 4), (x(0), height - 34)], "zero")
    return drawing.markup("Bias metrics with the gate's bounds")
