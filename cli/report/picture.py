"""The way of the data as one picture, each station with what happened there."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from pipeline_scripts.evidence.page.drawing import Drawing

BOX_WIDTH, BOX_HEIGHT = 158, 86
LEFT, GAP = 8, 36
UPPER, LOWER = 30, 190
WIDTH = 2 * LEFT + 5 * BOX_WIDTH + 4 * GAP
HEIGHT = LOWER + BOX_HEIGHT + 44


@dataclass(frozen=True, kw_only=True)
class Box:
    """A station: where it stands, who answers for it."""

    key: str
    title: str
    service: str
    persona: str
    column: int
    top: float

    @property
    def left(self) -> float:
        """Its left edge."""
        return LEFT + self.column * (BOX_WIDTH + GAP)

    @property
    def middle(self) -> float:
        """The middle of its width."""
        return self.left + BOX_WIDTH / 2


PERSONAS = {
    "engineer": "data engineer",
    "scientist": "data scientist",
    "officer": "compliance officer",
    "operator": "MLOps engineer",
}
BOXES = (
    Box(key="source", title="Source", service="JDBC, Secrets Manager", persona="engineer", column=0, top=UPPER),
    Box(key="etl", title="Pseudonymise", service="Glue job, Spark", persona="engineer", column=1, top=UPPER),
    Box(key="lake", title="Data lake", service="S3, Glue catalog", persona="engineer", column=2, top=UPPER),
    Box(key="training", title="Train, judge", service="SageMaker Pipeline", persona="scientist", column=3, top=UPPER),
    Box(key="registry", title="Register", service="Model Registry", persona="scientist", column=4, top=UPPER),
    Box(key="approval", title="Approve", service="heard by EventBridge", persona="officer", column=4, top=LOWER),
    Box(
        key="reconcile",
        title="Reconcile",
        service="Step Functions",
        persona="operator",
        column=3,
        top=LOWER,
    ),
    Box(key="endpoint", title="Serve", service="SageMaker endpoint", persona="operator", column=2, top=LOWER),
    Box(key="monitors", title="Watch", service="four monitors", persona="operator", column=1, top=LOWER),
    Box(key="alarm", title="Feed back", service="CloudWatch alarm", persona="operator", column=0, top=LOWER),
)
HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" class="head"/></marker></defs>'
)


def platform_picture(facts: Mapping[str, str]) -> Markup:
    """The picture; `facts` says what happened, by a station's key."""
    drawing = Drawing(WIDTH, HEIGHT)
    drawing.raw(HEAD)
    by_key = {box.key: box for box in BOXES}
    for first, second in itertools.pairwise(BOXES):
        _arrow(drawing, first, second)
    _feedback(drawing, by_key["alarm"], by_key["training"])
    for box in BOXES:
        drawing.box(box.left, box.top, BOX_WIDTH, BOX_HEIGHT, f"station {box.persona}", round=8)
        drawing.box(box.left, box.top, 5, BOX_HEIGHT, f"edge {box.persona}", round=2)
        drawing.text(box.left + 16, box.top + 25, box.title, "t station-title")
        drawing.text(box.left + 16, box.top + 42, box.service, "t mini")
        drawing.text(box.left + 16, box.top + 69, facts.get(box.key, ""), "t station-fact")
    _key(drawing)
    return drawing.markup("The platform: " + "; ".join(f"{box.title}: {facts.get(box.key, '')}" for box in BOXES))


def _arrow(drawing: Drawing, first: Box, second: Box) -> None:
    if first.column == second.column:
        drawing.path(f"M{first.middle},{first.top + BOX_HEIGHT} V{second.top - 3}", "arrow", marker="head")
        return
    y = first.top + BOX_HEIGHT / 2
    if second.column > first.column:
        drawing.path(f"M{first.left + BOX_WIDTH},{y} H{second.left - 3}", "arrow", marker="head")
    else:
        drawing.path(f"M{first.left},{y} H{second.left + BOX_WIDTH + 3}", "arrow", marker="head")


def _feedback(drawing: Drawing, alarm: Box, training: Box) -> None:
    between = (UPPER + BOX_HEIGHT + LOWER) / 2
    across = f"M{alarm.middle},{alarm.top} V{between + 8} q0,-8 8,-8 H{training.middle - 8}"
    drawing.path(f"{across} q8,0 8,-8 V{UPPER + BOX_HEIGHT + 3}", "arrow back", marker="head")
    drawing.text((alarm.middle + training.middle) / 2, between - 7, "retrain", "t back-text", anchor="middle")


def _key(drawing: Drawing) -> None:
    x = float(LEFT)
    for persona, name in PERSONAS.items():
        drawing.box(x, HEIGHT - 22, 11, 11, f"edge {persona}", round=2)
        drawing.text(x + 17, HEIGHT - 12, name, "t legend")
        x += 40 + 6.8 * len(name)
