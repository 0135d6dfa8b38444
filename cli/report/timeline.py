"""When the steps of a pipeline execution ran."""

from collections.abc import Sequence

from markupsafe import Markup

from cli.training import Step
from pipeline_scripts.evidence.page.drawing import Drawing, Scale

ROW, LEFT, WIDTH, RIGHT = 27, 168, 900, 64


def gantt(steps: Sequence[Step]) -> Markup:
    """A bar a step, on a common clock that starts with the first."""
    timed = [step for step in steps if step.started and step.ended]
    if not timed:
        return Markup("")
    zero = min(step.started for step in timed if step.started)
    span = max((step.ended - zero).total_seconds() for step in timed if step.ended)
    height = ROW * len(timed) + 30
    drawing = Drawing(WIDTH, height)
    x = Scale(low=0, high=max(span, 0.1), start=LEFT, end=WIDTH - RIGHT)
    drawing.x_axis(x, height - 24, top=4, form="g", count=8)
    drawing.text(WIDTH - 2, height - 9, "seconds", "t tick", anchor="end")
    for place, step in enumerate(timed):
        assert step.started and step.ended
        start, end = (step.started - zero).total_seconds(), (step.ended - zero).total_seconds()
        top = 4 + place * ROW
        style = "bar" if step.status == "Succeeded" else "bar bad"
        drawing.text(LEFT - 10, top + 17, step.name, "t", anchor="end")
        tip = f"{step.name}: {step.status}, {end - start:.1f} s"
        drawing.box(x(start), top + 5, max(2.0, x(end) - x(start)), ROW - 10, style, round=3, tip=tip)
        drawing.text(max(x(end), x(start) + 2) + 7, top + 17, f"{end - start:.1f} s", "t tick")
    return drawing.markup("The pipeline's steps in time")
