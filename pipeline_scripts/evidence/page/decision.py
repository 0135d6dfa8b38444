"""The page of one version: everything that its bundle vouches for, in the order in which a person decides."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.evidence import findings
from pipeline_scripts.evidence.metrics import metrics_of
from pipeline_scripts.evidence.page import bias, dependence, fairness, quality, scores
from pipeline_scripts.evidence.page.template import fill
from pipeline_scripts.model import Model

TREATMENTS = {
    "drop": "left out",
    "keyed_hash": "replaced by a keyed hash",
    "surrogate": "replaced by a number of its own",
    "generalise": "only as a range",
    "keep": "as it is",
}


def render(bundle: Mapping[str, Any], *, evidence: Path, model: Model) -> str:
    """The page, the same bytes for the same evidence.

    Args:
        bundle: What `make_bundle` put together.
        evidence: The folder of the execution's evidence.
        model: What the version is of.

    Raises:
        JobError: A file of the evidence is missing.
    """
    evaluation = read_json(evidence / "evaluation" / "evaluation.json")
    explanations = read_json(evidence / "explainability" / "analysis.json")
    metrics = findings.bias_metrics(read_json(evidence / "bias" / "analysis.json"))
    checks = findings.checks(bundle["gate"])
    return fill(
        "decision.html",
        {
            "bundle": bundle,
            "title": model.settings["title"],
            "owner": model.settings["owner"],
            "card": model.settings["card"],
            "checks": checks,
            "waived": [check for check in checks if check.verdict == "waived"],
            "champion": bundle["gate"].get("champion"),
            "evaluation": evaluation,
            "level": max((interval["level"] for interval in evaluation.get("intervals", {}).values()), default=None),
            "metrics": metrics_of(evaluation),
            "answers": quality.answers(evaluation),
            "scores": _scores(evaluation),
            "attributions": quality.attributions(findings.attributions(explanations)),
            "method": explanations.get("method", {}),
            "dependences": dependence.dependences(findings.dependences(explanations)),
            "bounds": fairness.bounds(bias.bounded(checks)),
            "bias": {phase: (bias.groups(metrics, phase), bias.rows(metrics, phase)) for phase in ("post", "pre")},
            "manifest": bundle["dataset"]["manifest"],
            "columns": [(column, TREATMENTS.get(column.treatment, column.treatment)) for column in model.columns],
        },
    )


def _scores(evaluation: Mapping[str, Any]) -> Markup | None:
    if "calibration" not in evaluation:
        return None
    return scores.distribution(evaluation["calibration"], threshold=evaluation.get("threshold"))
