"""The bias metrics as a table: a row a metric, a column a group."""

from collections.abc import Sequence

from pipeline_scripts.evidence.findings import BiasMetric, Check
from pipeline_scripts.evidence.page.fairness import Bounded


def groups(metrics: Sequence[BiasMetric], phase: str) -> list[str]:
    """The groups that were compared with everybody else."""
    return list(dict.fromkeys(_group(metric) for metric in metrics if metric.phase == phase))


def rows(metrics: Sequence[BiasMetric], phase: str) -> list[tuple[str, list[float | None]]]:
    """What each metric is, group by group; None where a group was too small or left out."""
    columns = groups(metrics, phase)
    values: dict[str, dict[str, float | None]] = {}
    for metric in metrics:
        if metric.phase == phase:
            values.setdefault(metric.description or metric.name, {})[_group(metric)] = metric.value
    return [(name, [by_group.get(column) for column in columns]) for name, by_group in values.items()]


def bounded(checks: Sequence[Check]) -> list[Bounded]:
    """The gate's fairness checks, named `metric.facet=value`, that could be judged."""
    return [
        Bounded(
            metric=check.name.split(".", 1)[0],
            facet_value=check.name.split(".", 1)[-1].replace("=", " = "),
            value=check.value,
            low=check.limits[0],
            high=check.limits[1],
        )
        for check in checks
        if check.limits is not None and check.value is not None
    ]


def _group(metric: BiasMetric) -> str:
    return f"{metric.facet} = {metric.facet_value}"
