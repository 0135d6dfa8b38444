"""What a version's training left behind for the people who judge it."""

from dataclasses import dataclass, fields
from typing import Any

from cli.errors import BatonError
from cli.registry import Version
from cli.stacks import Platform
from cli.storage import read_json


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Who answers for a failed check, why, and on which days."""

    approver: str
    reason: str
    granted: str
    expires: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing the gate looked at. `limits` are the lower and upper bound of a fairness metric, and else None.

    A failed check that is waived does not refuse the version.
    """

    name: str
    passed: bool
    value: float | None
    bound: str
    limits: tuple[float, float] | None
    reason: str
    waived: Waiver | None = None

    @property
    def verdict(self) -> str:
        """Its outcome in a word."""
        return "passed" if self.passed else "waived" if self.waived else "failed"

    @property
    def said(self) -> str:
        """Its reason, and who waived it."""
        if self.waived is None:
            return self.reason
        return f"{self.reason}; waived by {self.waived.approver} until {self.waived.expires}: {self.waived.reason}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The version (challenger) against the champion of its time, on the same hold-out.

    `difference` is challenger less champion, each of its bounds holds with `confidence`. `p_value` is how often a
    redrawn hold-out shows a loss of more than `max_loss`.
    """

    champion: int
    metric: str
    challenger: float
    champion_value: float
    difference: float
    low: float
    high: float
    confidence: float
    max_loss: float
    p_value: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How good a version is on the hold-out, in the one number of its kind of problem: `auc` or `r2`."""

    metric: str
    value: float

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.metric.upper()} {self.value:.4f}"


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
class Evidence:
    """The evidence of one version. `evaluation` is the evaluation script's own file.

    `comparison` is None where there was no champion that it could be compared with; the check `champion` says why.
    """

    version: Version
    evaluation: dict[str, Any]
    quality: Quality
    passed: bool
    reasons: str
    checks: tuple[Check, ...]
    bias: tuple[BiasMetric, ...]
    attributions: dict[str, float]
    comparison: Comparison | None = None


def quality(platform: Platform, version: Version) -> Quality | None:
    """How good a version is on the hold-out; None when its evidence is gone."""
    gate = read_json(platform.connection, f"{version.evidence_uri}/gate/gate.json") if version.evidence_uri else None
    return None if gate is None else Quality(**gate["quality"])


def read(platform: Platform, version: Version) -> Evidence:
    """Read the evidence of a version.

    Raises:
        BatonError: The version names no evidence, or a file of it is gone.
    """
    if not version.evidence_uri:
        raise BatonError(
            f"version {version.number} names no evidence (evidence_uri); it was not registered by this pipeline"
        )
    gate = _file(platform, version, "gate/gate.json")
    bias = _file(platform, version, "bias/analysis.json")
    explanations = _file(platform, version, "explainability/analysis.json")["explanations"]["kernel_shap"]
    return Evidence(
        version=version,
        evaluation=_file(platform, version, "evaluation/evaluation.json"),
        quality=Quality(**gate["quality"]),
        passed=bool(gate["passed"]),
        reasons=str(gate.get("reasons", "")),
        checks=tuple(_check(check) for check in gate["checks"]),
        bias=bias_metrics(bias),
        attributions=dict(sorted(explanations["label0"]["global_shap_values"].items(), key=lambda item: -abs(item[1]))),
        comparison=comparison(gate),
    )


def comparison(gate: dict[str, Any]) -> Comparison | None:
    """The comparison in a gate.json, if there is one."""
    found = gate.get("champion")
    if not found or not found["comparable"]:
        return None
    return Comparison(**{each.name: found[each.name] for each in fields(Comparison)})


def bias_metrics(analysis: dict[str, Any]) -> tuple[BiasMetric, ...]:
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


def _check(check: dict[str, Any]) -> Check:
    value, bound = check.get("value"), check.get("bound")
    return Check(
        name=check["name"],
        passed=bool(check["passed"]),
        value=float(value) if isinstance(value, int | float) else None,
        bound=" to ".join(f"{edge:g}" for edge in bound) if isinstance(bound, list) else str(bound or ""),
        limits=(float(bound[0]), float(bound[1])) if isinstance(bound, list) else None,
        reason=check.get("reason") or "",
        waived=Waiver(**check["waived"]) if check.get("waived") else None,
    )


def _file(platform: Platform, version: Version, name: str) -> dict[str, Any]:
    uri = f"{version.evidence_uri}/{name}"
    content = read_json(platform.connection, uri)
    if content is None:
        raise BatonError(
            f"the evidence of version {version.number} is incomplete: {uri} is missing; reject it and train again"
        )
    return content
