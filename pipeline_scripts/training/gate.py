"""Step 7: may this version be registered? Every check with its value, its bound and a reason that a person understands.

The step succeeds whatever it decides: the pipeline's condition reads `passed`. A group too small to judge by does not
refuse a version, and the decision says how many there were; a metric that a large enough group does not allow does. A
failed check with a waiver that counts does not refuse it either, and the decision shows whose waiver it is.
"""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline_scripts.analysis import classification, regression
from pipeline_scripts.analysis.artifact import find_archive, unsafe_members
from pipeline_scripts.analysis.attribution import global_values
from pipeline_scripts.analysis.fairness import read_groups
from pipeline_scripts.analysis.groups import compared
from pipeline_scripts.analysis.hashing import file_sha256
from pipeline_scripts.analysis.job import JobError, folders, run_job
from pipeline_scripts.analysis.json_files import read_json, write_json
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.training.waivers import Waiver, read_waivers


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question of the gate and its answer; `waived` shows the waiver that a failed one passes by."""

    name: str
    passed: bool
    value: float | int | str | None
    bound: float | list[float] | str
    reason: str
    waived: dict[str, str] | None = None

    @property
    def refuses(self) -> bool:
        """Whether it keeps the version from being registered."""
        return not self.passed and self.waived is None


def main(argv: Sequence[str]) -> int:
    """The folders of the steps before in, and `--model`; `--output` (gate.json) out.

    The environment says when the execution began, and who wrote the commit that is deployed.
    """
    evidence = ("evaluation", "bias", "explainability", "data-quality", "model-quality", "comparison")
    paths = folders(argv, *evidence, "model", "output")

    def work() -> str:
        decision = decide(
            folders={name: getattr(paths, name.replace("-", "_")) for name in evidence},
            archive=find_archive(paths.model),
            model=load_model(),
            on=date.fromisoformat(os.environ["BATON_STARTED_AT"][:10]),
            author=os.environ["BATON_COMMIT_AUTHOR"],
        )
        write_json(paths.output / "gate.json", decision)
        return f"Completed: {decision['reasons']}"

    return run_job(work)


def decide(*, folders: dict[str, Path], archive: Path, model: Model, on: date, author: str) -> dict[str, Any]:
    """Ask every question and put the answers together.

    Args:
        folders: The evidence by analysis.
        archive: The artefact.
        model: What it must reach, and its waivers.
        on: The day on which the execution began; a waiver counts or does not on that day.
        author: Of the commit that is deployed.
    """
    evaluation = read_json(folders["evaluation"] / "evaluation.json")
    comparison = read_json(folders["comparison"] / "comparison.json")
    asked = [
        *_quality(evaluation, model),
        _champion(comparison, model),
        *_fairness(folders["bias"], model),
        *_baselines(folders),
        _finite(evaluation, folders["explainability"], model),
        _artifact(archive),
    ]
    metric, title = ("r2", "R2") if model.regression else ("auc", "AUC")
    waivers = read_waivers(model.settings["gate"]["waivers"])
    checks = [_waived(check, waivers.get(check.name), on=on, author=author) for check in asked]
    return {
        "passed": int(not any(check.refuses for check in checks)),
        "checks": [asdict(check) for check in checks],
        "champion": comparison,
        "reasons": _in_words(checks, f"{title} of {evaluation[metric]:.4f}"),
        "artifact_sha256": file_sha256(archive),
        "quality": {"metric": metric, "value": evaluation[metric]},
    }


def _waived(check: Check, waiver: Waiver | None, *, on: date, author: str) -> Check:
    if check.passed or waiver is None:
        return check
    objection = waiver.objection(on=on, author=author)
    if objection is not None:
        return replace(check, reason=f"{check.reason}; its waiver does not count: {objection}")
    return replace(check, waived=waiver.to_json())


def _in_words(checks: Sequence[Check], quality: str) -> str:
    refusing = [check.reason for check in checks if check.refuses]
    waived = [check for check in checks if check.waived]
    if refusing:
        said = [f"Refused: {'; '.join(refusing)}."]
    elif waived:
        said = [f"Passed {len(checks) - len(waived)} of {len(checks)} checks, with an {quality}."]
    else:
        said = [f"Passed all {len(checks)} checks, with an {quality}."]
    said += [f"Waived by {c.waived['approver']} until {c.waived['expires']}: {c.reason}." for c in waived if c.waived]
    small = sum(check.passed and check.value is None and isinstance(check.bound, list) for check in checks)
    if small:
        said.append(f"{small} fairness checks are of groups too small to judge by.")
    return " ".join(said)


def _champion(comparison: dict[str, Any], model: Model) -> Check:
    """Not worse than the champion by more than the margin, and that for sure; the first version has no champion."""
    bound = model.settings["gate"]["champion"]["max_loss"]
    if not comparison["comparable"]:
        first = comparison["champion"] is None
        return Check(name="champion", passed=first, value=None, bound=bound, reason=comparison["reason"])
    loss = max(0.0, -comparison["low"])
    passed = loss <= bound
    side = "no more" if passed else "more"
    reason = (
        f"{comparison['reason']}: with {comparison['confidence'] * 100:g}% confidence it loses at most {loss:.4f}, "
        f"{side} than the {bound:g} that it may lose"
    )
    return Check(name="champion", passed=passed, value=loss, bound=bound, reason=reason)


def _quality(evaluation: dict[str, Any], model: Model) -> Iterator[Check]:
    """The bounds that the model's kind of problem has; those of the other are not set."""
    gate = model.settings["gate"]
    for metric, title in (("auc", "AUC"), ("r2", "R2")):
        value, bound = evaluation.get(metric), gate[f"min_{metric}"]
        if bound is not None:
            passed = value is not None and value >= bound
            reason = f"the {title} on the hold-out is {_shown(value)}, {'at least' if passed else 'below'} the {bound}"
            yield Check(name=metric, passed=passed, value=value, bound=bound, reason=f"{reason} it must reach")
    bound = gate["max_rmse"]
    if bound is not None:
        value = evaluation.get("rmse")
        passed = value is not None and value <= bound
        reason = f"the RMSE on the hold-out is {_shown(value)}, {'within' if passed else 'above'} the {bound}"
        yield Check(name="rmse", passed=passed, value=value, bound=bound, reason=f"{reason} it may reach")


def _shown(value: float | None) -> str:
    return "no number" if value is None else f"{value:.4f}"


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


def _finite(evaluation: dict[str, Any], explainability: Path, model: Model) -> Check:
    measured = regression.MEASURED if model.regression else classification.MEASURED
    numbers = {name: evaluation.get(name) for name in measured}
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
