"""One page on which a model's whole way can be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

FULL_WIDTH = 24
GRAPH_HEIGHT = 6


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One graph: lines on the left axis and, where they have another unit, on the right one."""

    title: str
    left: Sequence[cloudwatch.IMetric]
    right: Sequence[cloudwatch.IMetric] = field(default=())

    def render(self, width: int) -> cloudwatch.GraphWidget:
        """The widget. A line that starts at zero cannot make a small change look like a large one."""
        axis = cloudwatch.YAxisProps(min=0)
        return cloudwatch.GraphWidget(
            title=self.title,
            left=list(self.left),
            right=list(self.right),
            left_y_axis=axis,
            right_y_axis=axis,
            width=width,
            height=GRAPH_HEIGHT,
        )


class ModelDashboard(Construct):
    """Alarms on top, then a row for each station, in the order in which a model passes them.

    Args:
        name: What people look for.
        alarms: Everything that may be wrong with this model.
        stations: The graphs of each station, by its heading.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        alarms: Sequence[cloudwatch.IAlarm],
        stations: Mapping[str, Sequence[Graph]],
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Resource", dashboard_name=name)
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="Alarms", alarms=list(alarms), width=FULL_WIDTH, height=_height(len(alarms))
            )
        )
        for heading, graphs in stations.items():
            dashboard.add_widgets(
                cloudwatch.TextWidget(markdown=f"## {heading}", width=FULL_WIDTH, height=1),
            )
            dashboard.add_widgets(*(graph.render(FULL_WIDTH // len(graphs)) for graph in graphs))


def _height(alarms: int) -> int:
    """The widget shows four alarms in a line."""
    return 1 + -(-alarms // 4)
