"""The page of one version: everything that its bundle vouches for, in the order in which a person decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.evidence import findings
from pipeline_scripts.evidence.page import bias, dependence, fairness, quality, scores
from pipeline_scripts.evidence.page.template import fill
from pipeline_scripts.model import Model

MEANINGS = {
    "auc": ("AUC", "how often a positive row scores above a negative one; 0.5 is chance, 1 is always"),
    "average_precision": ("Average precision", "precision over all thresholds; the share of positives is chance"),
    "accuracy": ("Accuracy", "share of rows that were called right"),
    "precision": ("Precision", "of those called positive, the share that was"),
    "recall": ("Recall", "of those that were positive, the share that was called so"),
    "f1": ("F1", "harmonic mean of precision and recall"),
    "log_loss": ("Log loss", "penalty for confident errors; lower is better"),
    "brier": ("Brier score", "mean squared error of the probability; lower is better"),
    "calibration_error": ("Calibration error", "mean gap between what was promised and what came true"),
    "cost": ("Expected cost", "a row, with the costs of the model's YAML; lower is better"),
    "r2": ("R²", "share of the outcome's variance that the answers explain"),
    "rmse": ("RMSE", "root of the mean squared error, in the outcome's unit"),
    "mae": ("MAE", "mean absolute error, in the outcome's unit"),
}

TREATMENTS = {
    "drop": "never leaves the source",
    "keyed_hash": "replaced by a keyed hash",
    "surrogate": "replaced by a number of its own",
    "generalise": "only as a range",
    "keep": "kept",
}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure of the hold-out, with its interval where there is one."""

    label: str
    meaning: str
    value: float
    low: float | None
    high: float | None


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
            "target": model.target,
            "checks": checks,
            "waived": [check for check in checks if check.verdict == "waived"],
            "champion": bundle["gate"].get("champion"),
            "evaluation": evaluation,
            "level": max((interval["level"] for interval in evaluation.get("intervals", {}).values()), default=None),
            "metrics": _metrics(evaluation),
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


def _metrics(evaluation: Mapping[str, Any]) -> list[Metric]:
    intervals = evaluation.get("intervals", {})
    return [
        Metric(
            label=MEANINGS[name][0],
            meaning=MEANINGS[name][1],
            value=evaluation[name],
            low=intervals.get(name, {}).get("low"),
            high=intervals.get(name, {}).get("high"),
        )
        for name in MEANINGS
        if isinstance(evaluation.get(name), int | float)
    ]


def _scores(evaluation: Mapping[str, Any]) -> Markup | None:
    if "calibration" not in evaluation:
        return None
    return scores.distribution(evaluation["calibration"], threshold=evaluation.get("threshold"))
