"""Step 7: may this version be registered? Every check with its value, its bound and a reason that a person understands.

The step succeeds whatever it decides: the pipeline's condition reads `passed`. A group too small to judge by does not
refuse a version, and the decision says how many there were; a metric that a large enough group does not allow does.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline_scripts.analysis.artifact import find_archive, unsafe_members
from pipeline_scripts.analysis.attribution import global_values
from pipeline_scripts.analysis.fairness import read_groups
from pipeline_scripts.analysis.groups import compared
from pipeline_scripts.analysis.hashing import file_sha256
from pipeline_scripts.analysis.job import JobError, folders, run_job
from pipeline_scripts.analysis.json_files import read_json, write_json
from pipeline_scripts.model import Model, load_model

_MEASURED = ("auc", "accuracy", "precision", "recall", "f1", "log_loss", "brier", "average_precision")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question of the gate and its answer."""

    name: str
    passed: bool
    value: float | int | str | None
    bound: float | list[float] | str
    reason: str


def main(argv: Sequence[str]) -> int:
    """The folders of the steps before in, and `--model`; `--output` (gate.json) out."""
    evidence = ("evaluation", "bias", "explainability", "data-quality", "model-quality")
    paths = folders(argv, *evidence, "model", "output")

    def work() -> str:
        decision = decide(
            folders={name: getattr(paths, name.replace("-", "_")) for name in evidence},
            archive=find_archive(paths.model),
            model=load_model(),
        )
        write_json(paths.output / "gate.json", decision)
        return f"Completed: {decision['reasons']}"

    return run_job(work)


def decide(*, folders: dict[str, Path], archive: Path, model: Model) -> dict[str, Any]:
    """Ask every question and put the answers together."""
    evaluation = read_json(folders["evaluation"] / "evaluation.json")
    checks = [
        _quality(evaluation, model),
        *_fairness(folders["bias"], model),
        *_baselines(folders),
        _finite(evaluation, folders["explainability"]),
        _artifact(archive),
    ]
    failed = [check for check in checks if not check.passed]
    unjudged = sum(check.passed and check.value is None for check in checks)
    if failed:
        reasons = f"Refused: {'; '.join(check.reason for check in failed)}."
    else:
        reasons = f"Passed all {len(checks)} checks, with an AUC of {evaluation['auc']:.4f}."
    if unjudged:
        reasons += f" {unjudged} fairness checks are of groups too small to judge by."
    return {
        "passed": int(not failed),
        "checks": [asdict(check) for check in checks],
        "reasons": reasons,
        "artifact_sha256": file_sha256(archive),
        "auc": evaluation["auc"],
    }


def _quality(evaluation: dict[str, Any], model: Model) -> Check:
    value, bound = evaluation["auc"], model.settings["gate"]["min_auc"]
    passed = value is not None and value >= bound
    side = "at least" if passed else "below"
    return Check(
        name="auc",
        passed=passed,
        value=value,
        bound=bound,
        reason=f"the AUC on the hold-out is {value:.4f}, {side} the {bound} it must reach",
    )


def _fairness(folder: Path, model: Model) -> Iterator[Check]:
    facets = read_json(folder / "analysis.json")["post_training_bias_metrics"]["facets"]
    small = {key for key, group in read_groups(folder).items() if group.small}
    for facet, values in compared(model).items():
        reports = {report["value_or_threshold"]: report for report in facets.get(facet, [])}
        for group in values:
            metrics = {metric["name"]: metric for metric in reports.get(group, {"metrics": []})["metrics"]}
            for name, bounds in model.settings["gate"]["fairness"].items():
                too_small = (facet, group) in small
                yield _fair(f"{name}.{facet}={group}", metrics.get(name), list(bounds), too_small=too_small)


def _fair(name: str, metric: dict[str, Any] | None, bounds: list[float], *, too_small: bool) -> Check:
    value = None if metric is None else metric["value"]
    low, high = bounds
    if too_small:
        reason = f"{name}: the group is too small to judge by"
        return Check(name=name, passed=True, value=None, bound=bounds, reason=reason)
    if value is None:
        why = "it was not computed" if metric is None else metric.get("error", "it is no number")
        reason = f"{name} cannot be judged: {why}"
        return Check(name=name, passed=False, value=None, bound=bounds, reason=reason)
    passed = low <= value <= high
    side = "within" if passed else "outside"
    reason = f"{name} is {value:.3f}, {side} {low} to {high}"
    return Check(name=name, passed=passed, value=value, bound=bounds, reason=reason)


def _baselines(folders: dict[str, Path]) -> Iterator[Check]:
    """Without them the version could be served but never watched."""
    needed = {
        "data-quality": ("statistics.json", "constraints.json"),
        "model-quality": ("statistics.json", "constraints.json"),
        "bias": ("analysis.json",),
        "explainability": ("analysis.json",),
    }
    for part, files in needed.items():
        missing = [name for name in files if not _holds_something(folders[part] / name)]
        state = f"lacks {', '.join(missing)}" if missing else "is there"
        yield Check(
            name=f"baseline.{part}",
            passed=not missing,
            value=len(files) - len(missing),
            bound=f"{len(files)} files",
            reason=f"the {part} baseline {state}",
        )


def _holds_something(path: Path) -> bool:
    try:
        return bool(read_json(path))
    except JobError:
        return False


def _finite(evaluation: dict[str, Any], explainability: Path) -> Check:
    numbers = {name: evaluation.get(name) for name in _MEASURED}
    try:
        numbers.update(global_values(read_json(explainability / "analysis.json")))
    except JobError:
        numbers["attributions"] = None
    strays = [name for name, value in numbers.items() if value is None or not math.isfinite(value)]
    return Check(
        name="finite_numbers",
        passed=not strays,
        value=len(numbers) - len(strays),
        bound=f"{len(numbers)} numbers",
        reason=f"{', '.join(strays)} are no finite numbers" if strays else "every metric and attribution is finite",
    )


def _artifact(archive: Path) -> Check:
    problems = unsafe_members(archive)
    return Check(
        name="artifact",
        passed=not problems,
        value=len(problems),
        bound="JSON and Python source only",
        reason=f"the artefact is unsafe: {problems[0]}"
        if problems
        else "the artefact holds nothing but JSON and source",
    )
