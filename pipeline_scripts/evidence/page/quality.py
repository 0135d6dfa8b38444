"""How good a version is: its answers against what came true, and what moves them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline_scripts.evidence.page.drawing import Drawing, Scale

SIDE = 340
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 44


def answers(evaluation: Mapping[str, Any]) -> dict[str, Markup]:
    """The charts of a version's kind of problem, by their captions."""
    if "tenths" in evaluation:
        return {"Answered, and what came true": tenths(evaluation["tenths"])}
    curve = evaluation["roc_curve"]
    return {
        "ROC curve": roc_curve(curve["fpr"], curve["tpr"], evaluation["auc"]),
        "Calibration": calibration(evaluation["calibration"]),
    }


def tenths(groups: Sequence[Mapping[str, Any]]) -> Markup:
    """The means of answers and outcomes of a regression, a dot for each tenth of the rows, in order of the answer."""
    means = [value for entry in groups for value in (entry["mean_answer"], entry["mean_outcome"])]
    low, high = min(means), max(means)
    drawing, x, y = _square(low, high)
    drawing.line([(x(low), y(low)), (x(high), y(high))], "chance")
    points = [(x(entry["mean_answer"]), y(entry["mean_outcome"])) for entry in groups]
    drawing.line(points, "curve thin")
    for entry, (left, top) in zip(groups, points, strict=True):
        tip = f"{entry['rows']} rows: answered {entry['mean_answer']:.4g}, came true {entry['mean_outcome']:.4g}"
        drawing.dot(left, top, 6, "spot", tip=tip)
    _titles(drawing, "mean answer", "mean that came true")
    return drawing.markup("Mean answer against the mean that came true, by tenths of the answers")


def roc_curve(fpr: Sequence[float], tpr: Sequence[float], auc: float) -> Markup:
    """True against false positive rate, on the hold-out."""
    drawing, x, y = _square()
    drawing.area([(x(0), y(0)), *((x(a), y(b)) for a, b in zip(fpr, tpr, strict=True)), (x(1), y(0))], "area")
    drawing.line([(x(0), y(0)), (x(1), y(1))], "chance")
    drawing.line(((x(a), y(b)) for a, b in zip(fpr, tpr, strict=True)), "curve")
    drawing.text(x(0.96), y(0.12), f"AUC {auc:.3f}", "t big", anchor="end")
    drawing.text(x(0.96), y(0.05), "chance is 0.5", "t tick", anchor="end")
    _titles(drawing, "false positive rate", "true positive rate")
    return drawing.markup(f"ROC curve, area under it {auc:.3f}")


def calibration(bins: Sequence[Mapping[str, Any]]) -> Markup:
    """What was promised against what came true; a dot's area is its number of rows."""
    drawing, x, y = _square()
    drawing.line([(x(0), y(0)), (x(1), y(1))], "chance")
    most = max((entry["rows"] for entry in bins), default=1)
    points = [(x(entry["mean_probability"]), y(entry["positive_rate"])) for entry in bins]
    drawing.line(points, "curve thin")
    for entry, (left, top) in zip(bins, points, strict=True):
        promised, came = entry["mean_probability"], entry["positive_rate"]
        tip = f"{entry['rows']} rows: promised {promised:.0%}, came true {came:.0%}"
        drawing.dot(left, top, 3 + 9 * math.sqrt(entry["rows"] / most), "spot", tip=tip)
    _titles(drawing, "promised probability", "share that came true")
    return drawing.markup("Calibration: promised probability against the share that came true")


def attributions(values: Mapping[str, float]) -> Markup:
    """Mean absolute SHAP value of each feature, the strongest first."""
    ordered = sorted(values.items(), key=lambda item: -abs(item[1]))
    row, left, width = 27, 126, 464
    drawing = Drawing(width, row * len(ordered) + 8)
    x = Scale(low=0, high=max((abs(value) for _, value in ordered), default=1), start=left, end=width - 46)
    for place, (name, value) in enumerate(ordered):
        top = 4 + place * row
        drawing.text(left - 10, top + 16, name, "t", anchor="end")
        drawing.box(left, top + 4, x(abs(value)) - left, row - 9, "bar", round=2, tip=f"{name}: {value:.4f}")
        drawing.text(x(abs(value)) + 7, top + 16, f"{abs(value):.3f}", "t tick")
    return drawing.markup("Feature attributions: " + ", ".join(f"{name} {value:.3f}" for name, value in ordered))


def _square(low: float = 0, high: float = 1) -> tuple[Drawing, Scale, Scale]:
    drawing = Drawing(SIDE, SIDE)
    x = Scale(low=low, high=high, start=LEFT, end=SIDE - RIGHT)
    y = Scale(low=low, high=high, start=SIDE - BOTTOM, end=TOP)
    drawing.x_axis(x, SIDE - BOTTOM, top=TOP)
    drawing.y_axis(y, LEFT, right=SIDE - RIGHT)
    return drawing, x, y


def _titles(drawing: Drawing, below: str, beside: str) -> None:
    drawing.text((LEFT + SIDE - RIGHT) / 2, SIDE - 8, below, "t axis", anchor="middle")
    middle = (TOP + SIDE - BOTTOM) / 2
    drawing.raw(
        f'<text class="t axis" text-anchor="middle" transform="translate(13 {middle:g}) rotate(-90)">{beside}</text>'
    )
