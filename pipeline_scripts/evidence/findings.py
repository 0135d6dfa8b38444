"""What the analyses of a version found, as a person asks for it: read from the files that they left."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pipeline_scripts.analysis.compared import Comparison


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing the gate looked at.

    `limits` are the lower and upper bound of a fairness metric, and else None. `waived` says who answers for a check
    that failed, why and until when.
    """

    name: str
    passed: bool
    value: float | None
    bound: str
    limits: tuple[float, float] | None
    reason: str
    waived: Mapping[str, str] | None = None

    @property
    def verdict(self) -> str:
        """In one word."""
        if self.passed:
            return "passed"
        return "waived" if self.waived else "failed"

    @property
    def said(self) -> str:
        """Its reason, and who waived it."""
        if self.waived is None:
            return self.reason
        approver, expires, why = (self.waived[name] for name in ("approver", "expires", "reason"))
        return f"{self.reason}; waived by {approver} until {expires}: {why}"


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How good a version is on the hold-out, in the one number of its kind of problem: `auc` or `r2`."""

    metric: str
    value: float

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.metric.upper()} {self.value:.4f}"


@dataclass(frozen=True, kw_only=True)
class AgainstChampion(Comparison):
    """The version (challenger) against the champion of its time, the version number `champion`."""

    champion: int


@dataclass(frozen=True, kw_only=True)
class BiasMetric:
    """One bias metric of one value of one facet, before (`pre`) or after (`post`) training."""

    phase: str
    facet: str
    facet_value: str
    name: str
    description: str
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """The mean answer when a feature has one value for all rows, value by value."""

    feature: str
    values: tuple[float | str, ...]
    answers: tuple[float, ...]


def checks(gate: Mapping[str, Any]) -> tuple[Check, ...]:
    """The checks of a gate.json."""
    return tuple(_check(check) for check in gate["checks"])


def comparison(gate: Mapping[str, Any]) -> AgainstChampion | None:
    """The comparison in a gate.json, if there is one."""
    found = gate.get("champion")
    if not found or not found["comparable"]:
        return None
    return AgainstChampion(**{each.name: found[each.name] for each in fields(AgainstChampion)})


def _check(check: Mapping[str, Any]) -> Check:
    value, bound = check.get("value"), check.get("bound")
    return Check(
        name=check["name"],
        passed=bool(check["passed"]),
        value=float(value) if isinstance(value, int | float) else None,
        bound=" to ".join(f"{edge:g}" for edge in bound) if isinstance(bound, list) else str(bound or ""),
        limits=(float(bound[0]), float(bound[1])) if isinstance(bound, list) else None,
        reason=check.get("reason") or "",
        waived=check.get("waived"),
    )


def bias_metrics(analysis: Mapping[str, Any]) -> tuple[BiasMetric, ...]:
    """The metrics of an analysis.json, flat."""
    return tuple(
        BiasMetric(
            phase=phase,
            facet=facet,
            facet_value=str(entry["value_or_threshold"]),
            name=metric["name"],
            description=metric.get("description", ""),
            value=metric["value"],
        )
        for phase in ("pre", "post")
        for facet, entries in analysis.get(f"{phase}_training_bias_metrics", {}).get("facets", {}).items()
        for entry in entries
        for metric in entry["metrics"]
    )


def attributions(analysis: Mapping[str, Any]) -> dict[str, float]:
    """The mean absolute SHAP values of an analysis.json, the strongest feature first."""
    values = analysis["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    return dict(sorted(values.items(), key=lambda item: -abs(item[1])))


def dependences(analysis: Mapping[str, Any]) -> tuple[Dependence, ...]:
    """The partial dependences of an analysis.json, of those features that have more than one value."""
    found = (
        Dependence(
            feature=entry["feature_name"],
            values=tuple(entry["feature_values"]),
            answers=_first_label(entry["model_predictions"]),
        )
        for entry in analysis["explanations"].get("pdp", ())
    )
    return tuple(dependence for dependence in found if len(dependence.values) > 1)


def _first_label(predictions: Any) -> tuple[float, ...]:
    """Clarify writes a list a label; with one label that is the only one."""
    return tuple(predictions[0] if isinstance(predictions[0], list) else predictions)
