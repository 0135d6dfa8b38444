"""How the answer follows one feature, all else as it is."""

from collections.abc import Sequence

from markupsafe import Markup

from pipeline_scripts.evidence.findings import Dependence
from pipeline_scripts.evidence.page.drawing import Drawing, Scale

WIDTH, HEIGHT = 300, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 26, 36
_LONGEST_LABEL = 9


def dependences(found: Sequence[Dependence]) -> list[Markup]:
    """A small plot a feature, all on one scale of answers so that they can be compared."""
    answers = [answer for dependence in found for answer in dependence.answers]
    if not answers:
        return []
    room = 0.08 * (max(answers) - min(answers)) or 0.1
    y = Scale(low=min(answers) - room, high=max(answers) + room, start=HEIGHT - BOTTOM, end=TOP)
    return [_dependence(dependence, y) for dependence in found]


def _dependence(dependence: Dependence, y: Scale) -> Markup:
    drawing, ground = Drawing(WIDTH, HEIGHT), HEIGHT - BOTTOM
    drawing.text(LEFT, 14, dependence.feature, "t strong")
    drawing.y_axis(y, LEFT, right=WIDTH - RIGHT, count=4)
    numbers = [float(value) for value in dependence.values if not isinstance(value, str)]
    if len(numbers) == len(dependence.values):
        x = Scale(low=min(numbers), high=max(numbers), start=LEFT, end=WIDTH - RIGHT)
        drawing.x_axis(x, ground, top=ground, count=4)
        drawing.line(zip(map(x, numbers), map(y, dependence.answers), strict=True), "curve")
    else:
        step = (WIDTH - RIGHT - LEFT) / len(dependence.values)
        for place, (value, answer) in enumerate(zip(dependence.values, dependence.answers, strict=True)):
            left = LEFT + place * step
            drawing.dot(left + step / 2, y(answer), 4.5, "spot", tip=f"{value}: {answer:g}")
            label = str(value) if len(str(value)) <= _LONGEST_LABEL else f"{str(value)[: _LONGEST_LABEL - 1]}…"
            drawing.text(left + step / 2, ground + 15, label, "t tick", anchor="middle")
    shown = ", ".join(
        f"{value} {answer:.3g}" for value, answer in zip(dependence.values, dependence.answers, strict=True)
    )
    return drawing.markup(f"Mean answer by {dependence.feature}: {shown}")
