"""What a version's training left behind for the people who judge it."""

from dataclasses import dataclass
from typing import Any

from cli.errors import BatonError
from cli.registry import Version
from cli.stacks import Platform
from cli.storage import read_json
from pipeline_scripts.evidence import findings
from pipeline_scripts.evidence.findings import BiasMetric, Check


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence of one version. `evaluation` is the evaluation script's own file."""

    version: Version
    evaluation: dict[str, Any]
    passed: bool
    reasons: str
    checks: tuple[Check, ...]
    bias: tuple[BiasMetric, ...]
    attributions: dict[str, float]

    @property
    def auc(self) -> float:
        """Area under the ROC curve on the hold-out."""
        return float(self.evaluation["auc"])


def auc(platform: Platform, version: Version) -> float | None:
    """A version's AUC on the hold-out; None when its evidence is gone."""
    gate = read_json(platform.connection, f"{version.evidence_uri}/gate/gate.json") if version.evidence_uri else None
    return None if gate is None else float(gate["auc"])


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
    return Evidence(
        version=version,
        evaluation=_file(platform, version, "evaluation/evaluation.json"),
        passed=bool(gate["passed"]),
        reasons=str(gate.get("reasons", "")),
        checks=findings.checks(gate),
        bias=findings.bias_metrics(_file(platform, version, "bias/analysis.json")),
        attributions=findings.attributions(_file(platform, version, "explainability/analysis.json")),
    )


def _file(platform: Platform, version: Version, name: str) -> dict[str, Any]:
    uri = f"{version.evidence_uri}/{name}"
    content = read_json(platform.connection, uri)
    if content is None:
        raise BatonError(
            f"the evidence of version {version.number} is incomplete: {uri} is missing; reject it and train again"
        )
    return content
