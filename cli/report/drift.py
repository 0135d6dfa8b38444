"""How the traffic moved away from the baseline."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from cli.report.distributions import Distribution
from pipeline_scripts.evidence.page.drawing import Drawing, Scale

STYLES = ("base", "quiet", "drifted")


def distances(by_run: Mapping[str, Mapping[str, float]], threshold: float) -> Markup:
    """A row a feature: how far each run's traffic lies from the baseline, and how far it may."""
    features = sorted(
        {name for run in by_run.values() for name in run},
        key=lambda name: -max(r.get(name, 0) for r in by_run.values()),
    )
    row, left, width, right = 28, 140, 900, 30
    height = row * len(features) + 78
    drawing = Drawing(width, height)
    highest = max([threshold, *(value for run in by_run.values() for value in run.values())])
    x = Scale(low=0, high=max(highest * 1.08, 0.05), start=left, end=width - right)
    bottom = height - 30
    drawing.legend(left, 14, [(label, f"fill {style}") for label, style in zip(by_run, STYLES[1:], strict=False)])
    drawing.x_axis(x, bottom, top=42, form="g", count=8)
    drawing.line([(x(threshold), 36), (x(threshold), bottom)], "limit")
    drawing.text(x(threshold) + 6, 38, f"threshold {threshold:g}", "t limit-text")
    for place, name in enumerate(features):
        middle = 46 + place * row + row / 2
        drawing.text(left - 10, middle + 4, name, "t", anchor="end")
        points = [(x(run[name]), style) for run, style in zip(by_run.values(), STYLES[1:], strict=False) if name in run]
        drawing.line([(at, middle) for at, _ in points], "between")
        for (label, run), (at, style) in zip(by_run.items(), points, strict=False):
            drawing.dot(at, middle, 5.5, f"fill {style}", tip=f"{name}, {label}: {run.get(name, 0):.3f}")
    drawing.text((left + width - right) / 2, height - 2, "distance from the baseline", "t axis", anchor="middle")
    return drawing.markup("Distance of each feature's traffic from the baseline, with the threshold")


def small_multiple(distribution: Distribution, *, flagged: bool) -> Markup:
    """One feature's distributions side by side."""
    width, height, left, bottom, top = 284, 150, 8, 26, 26
    drawing = Drawing(width, height)
    count = len(distribution.labels)
    highest = max((share for shares in distribution.shares.values() for share in shares), default=1) or 1
    y = Scale(low=0, high=highest, start=height - bottom, end=top)
    slot = (width - 2 * left) / max(1, count)
    thick = slot * 0.84 / max(1, len(distribution.shares))
    for place, label in enumerate(distribution.labels):
        start = left + place * slot + slot * 0.08
        for turn, (name, shares) in enumerate(distribution.shares.items()):
            tip = f"{distribution.feature} {label}, {name}: {shares[place]:.1%}"
            drawing.box(
                start + turn * thick,
                y(shares[place]),
                thick * 0.94,
                y(0) - y(shares[place]),
                f"fill {STYLES[turn]}",
                tip=tip,
            )
    drawing.line([(left, y(0)), (width - left, y(0))], "ground")
    for place in _shown(distribution.labels, slot):
        drawing.text(left + (place + 0.5) * slot, height - 11, distribution.labels[place], "t mini", anchor="middle")
    drawing.text(left, 14, distribution.feature, "t strong")
    if flagged:
        drawing.text(width - left, 14, "drifted", "t alarm", anchor="end")
    return drawing.markup(f"Distribution of {distribution.feature} in {', '.join(distribution.shares)}")


def _shown(labels: Sequence[str], slot: float) -> range:
    """Every how many labels there is room for one."""
    widest = max((len(label) for label in labels), default=1) * 5.6 + 8
    return range(0, len(labels), max(1, -int(-widest // slot)))
