"""The few shapes the charts are made of, as SVG that takes its colours from the page's style sheet."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from markupsafe import Markup

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Where a value lies on the paper. `start` may exceed `end`: paper counts downwards."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The position of a value; those beyond the ends stay at the ends."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return self.start + share * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """Round numbers between the ends, about `count` of them."""
        raw = (self.high - self.low) / max(1, count)
        if raw <= 0:
            return [self.low]
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(index * step, 10) for index in range(first, last + 1)]


@dataclass
class Drawing:
    """One picture. Every shape takes a `style`: classes of the page's style sheet."""

    width: float
    height: float
    _parts: list[str] = field(default_factory=list)

    def line(self, points: Iterable[tuple[float, float]], style: str) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline class="{style}" fill="none" points="{path}"/>')

    def area(self, points: Iterable[tuple[float, float]], style: str) -> None:
        """A filled shape."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polygon class="{style}" points="{path}"/>')

    def box(
        self, x: float, y: float, width: float, height: float, style: str, *, round: float = 0, tip: str = ""
    ) -> None:
        """A rectangle; `tip` shows when it is pointed at."""
        inside = f"<title>{escape(tip)}</title>" if tip else ""
        size = f'width="{max(0.0, width):.1f}" height="{max(0.0, height):.1f}"'
        self._parts.append(f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" {size} rx="{round:g}">{inside}</rect>')

    def dot(self, x: float, y: float, radius: float, style: str, *, tip: str = "") -> None:
        """A circle."""
        inside = f"<title>{escape(tip)}</title>" if tip else ""
        self._parts.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">{inside}</circle>')

    def cross(self, x: float, y: float, reach: float, style: str, *, tip: str = "") -> None:
        """A diagonal cross: what must not be told from a dot by its colour alone."""
        inside = f"<title>{escape(tip)}</title>" if tip else ""
        left, right, top, bottom = x - reach, x + reach, y - reach, y + reach
        d = f"M{left:.1f},{top:.1f} L{right:.1f},{bottom:.1f} M{left:.1f},{bottom:.1f} L{right:.1f},{top:.1f}"
        self._parts.append(f'<path class="{style} cross" d="{d}">{inside}</path>')

    def text(self, x: float, y: float, content: str, style: str = "t", *, anchor: Anchor = "start") -> None:
        """A line of text, its baseline at `y`."""
        where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        self._parts.append(f'<text class="{style}" {where}>{escape(content)}</text>')

    def path(self, d: str, style: str, *, marker: str = "") -> None:
        """A free path, with an arrow's head where `marker` names one."""
        end = f' marker-end="url(#{marker})"' if marker else ""
        self._parts.append(f'<path class="{style}" d="{d}"{end}/>')

    def raw(self, markup: str) -> None:
        """Markup of our own making, such as a marker's definition."""
        self._parts.append(markup)

    def x_axis(self, scale: Scale, y: float, *, top: float, form: str = "g", count: int = 5) -> None:
        """Ticks with numbers below, and faint lines up to `top`."""
        for tick in scale.ticks(count):
            x = scale(tick)
            self.line([(x, y), (x, top)], "grid")
            self.text(x, y + 15, f"{tick:{form}}", "t tick", anchor="middle")

    def y_axis(self, scale: Scale, x: float, *, right: float, form: str = "g", count: int = 5) -> None:
        """Ticks with numbers to the left, and faint lines to `right`."""
        for tick in scale.ticks(count):
            y = scale(tick)
            self.line([(x, y), (right, y)], "grid")
            self.text(x - 7, y + 4, f"{tick:{form}}", "t tick", anchor="end")

    def legend(self, x: float, y: float, entries: Sequence[tuple[str, str]]) -> None:
        """Coloured marks with their meaning, in a row."""
        for label, style in entries:
            self.box(x, y - 9, 11, 11, style, round=2)
            self.text(x + 16, y, label, "t legend")
            x += 30 + 6.6 * len(label)

    def markup(self, label: str) -> Markup:
        """The whole as inline SVG; `label` is for those who cannot see it."""
        head = f'<svg viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{escape(label)}">'
        # Every text passed through escape above; the rest is markup of this class.
        return Markup(head + "".join(self._parts) + "</svg>")

    def document(self, label: str, style: str) -> str:
        """The whole as an SVG file of its own, with the style sheet it brings along."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}"'
        view = f'viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{escape(label)}"'
        return f"{head} {view}><style>{style}</style>{''.join(self._parts)}</svg>\n"
