"""What a version's training left behind for the people who judge it."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cli.errors import BatonError
from cli.registry import Version
from cli.stacks import Platform
from cli.storage import read_bytes, read_json
from pipeline_scripts.evidence import findings
from pipeline_scripts.evidence.findings import AgainstChampion, BiasMetric, Check, Quality

BUNDLE, PAGE = "evidence/bundle.json", "evidence/evidence.html"


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
    comparison: AgainstChampion | None = None


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
    return Evidence(
        version=version,
        evaluation=_file(platform, version, "evaluation/evaluation.json"),
        quality=Quality(**gate["quality"]),
        passed=bool(gate["passed"]),
        reasons=str(gate.get("reasons", "")),
        checks=findings.checks(gate),
        bias=findings.bias_metrics(_file(platform, version, "bias/analysis.json")),
        attributions=findings.attributions(_file(platform, version, "explainability/analysis.json")),
        comparison=findings.comparison(gate),
    )


def page(platform: Platform, version: Version) -> bytes:
    """The page of a version, the very bytes that were signed: its hash is in the bundle, whose hash the registry keeps.

    Raises:
        BatonError: Page or bundle is missing, or not what was registered.
    """
    if not version.evidence_sha256:
        raise BatonError(
            f"version {version.number} was registered without the hash of its evidence (evidence_sha256); train again"
        )
    bundle = _checked(platform, version, BUNDLE, sha256=version.evidence_sha256)
    listed = json.loads(bundle)["files"].get(PAGE)
    if listed is None:
        raise BatonError(f"the evidence of version {version.number} holds no page ({PAGE}); train again to have one")
    return _checked(platform, version, PAGE, sha256=listed)


def _checked(platform: Platform, version: Version, name: str, *, sha256: str) -> bytes:
    uri = f"{version.evidence_uri}/{name}"
    content = read_bytes(platform.connection, uri)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        state = "missing" if content is None else "not the one that was registered"
        raise BatonError(f"the evidence of version {version.number} cannot be trusted: {uri} is {state}; reject it")
    return content


def _file(platform: Platform, version: Version, name: str) -> dict[str, Any]:
    uri = f"{version.evidence_uri}/{name}"
    content = read_json(platform.connection, uri)
    if content is None:
        raise BatonError(
            f"the evidence of version {version.number} is incomplete: {uri} is missing; reject it and train again"
        )
    return content
