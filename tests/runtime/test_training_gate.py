"""The gate passes what it should, and every way to be unfit is refused with a reason."""

import dataclasses
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline_scripts.analysis.artifact import load_artifact, unsafe_members
from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.model import Model
from pipeline_scripts.training import gate
from pipeline_scripts.training.gate import decide
from tests.runtime.churn import FACTS, Trained, gate_arguments

EVIDENCE = ("evaluation", "bias", "explainability", "data-quality", "model-quality", "comparison")
TODAY, AUTHOR = date(2026, 3, 1), "ada@bank.example"


def decision_on(evidence: Path, archive: Path, model: Model) -> dict[str, Any]:
    folders = {name: evidence / name.replace("-", "_") for name in EVIDENCE}
    return decide(folders=folders, archive=archive, model=model, on=TODAY, author=AUTHOR)


def with_gate(model: Model, **settings: Any) -> Model:
    return dataclasses.replace(model, settings={**model.settings, "gate": {**model.settings["gate"], **settings}})


def failed(decision: dict[str, Any]) -> list[str]:
    return [check["name"] for check in decision["checks"] if not check["passed"]]


def test_a_good_version_passes_with_all_reasons(trained: Trained) -> None:
    decision = json.loads((trained.evidence / "gate" / "gate.json").read_text())
    assert decision["passed"] == 1
    assert failed(decision) == []
    assert decision["reasons"].startswith("Passed all ")
    assert decision["artifact_sha256"] == load_artifact(trained.artefact).sha256
    assert set(decision["checks"][0]) == {"name", "passed", "value", "bound", "reason", "waived"}


def test_too_low_an_auc_is_refused(trained: Trained) -> None:
    model = with_gate(trained.model, min_auc=0.99)
    decision = decision_on(trained.evidence, trained.artefact / "model.tar.gz", model)
    assert (decision["passed"], failed(decision)) == (0, ["auc"])
    assert "below the 0.99" in decision["reasons"]


def test_unfairness_is_refused_for_the_group_it_hits(trained: Trained) -> None:
    model = with_gate(trained.model, fairness={"DPPL": [0.5, 0.9]})
    decision = decision_on(trained.evidence, trained.artefact / "model.tar.gz", model)
    assert "DPPL.gender=Female" in failed(decision)
    assert "outside 0.5 to 0.9" in decision["reasons"]


def test_group_too_small_to_judge_is_said_and_not_refused(trained: Trained) -> None:
    decision = decision_on(trained.evidence, trained.artefact / "model.tar.gz", trained.model)
    small = [check for check in decision["checks"] if check["value"] is None and isinstance(check["bound"], list)]
    assert {check["name"] for check in small} == {"DPPL.age_group=70+", "AD.age_group=70+"}
    assert "2 fairness checks are of groups too small" in decision["reasons"]


def edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def tell_of_every_group(content: Any) -> None:
    """As Clarify's own job does, however small the group."""
    for reports in content["post_training_bias_metrics"]["facets"].values():
        for metric in (metric for report in reports for metric in report["metrics"]):
            metric["value"] = metric["value"] or 0.01


def hide_metric(content: Any) -> None:
    [report] = content["post_training_bias_metrics"]["facets"]["gender"]
    for metric in report["metrics"]:
        if metric["name"] == "AD":
            metric.update(value=None, error="nobody is predicted positive")


def forget(mapping: str) -> Callable[[Path], None]:
    return lambda evidence: (evidence / mapping).unlink()


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (forget("data_quality/constraints.json"), "baseline.data-quality"),
        (forget("model_quality/statistics.json"), "baseline.model-quality"),
        (forget("explainability/analysis.json"), "baseline.explainability"),
        (lambda evidence: (evidence / "data_quality/statistics.json").write_text("{}"), "baseline.data-quality"),
        (
            lambda evidence: edit(evidence / "evaluation/evaluation.json", lambda c: c.update(brier=None)),
            "finite_numbers",
        ),
        (lambda evidence: edit(evidence / "bias/analysis.json", hide_metric), "AD.gender=Female"),
    ],
)
def test_missing_or_broken_evidence_is_refused(
    trained: Trained, tmp_path: Path, damage: Callable[[Path], None], check: str
) -> None:
    evidence = tmp_path / "evidence"
    shutil.copytree(trained.evidence, evidence)
    damage(evidence)
    decision = decision_on(evidence, trained.artefact / "model.tar.gz", trained.model)
    assert decision["passed"] == 0
    assert check in failed(decision)


def test_report_of_the_managed_backend_is_judged_without_group_sizes(trained: Trained, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    shutil.copytree(trained.evidence, evidence)
    forget("bias/groups.json")(evidence)
    edit(evidence / "bias/analysis.json", tell_of_every_group)
    decision = decision_on(evidence, trained.artefact / "model.tar.gz", trained.model)
    judged = {check["name"]: check["value"] for check in decision["checks"]}
    assert judged["DPPL.age_group=70+"] is not None


def member(name: str, **changes: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in changes.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize(
    ("stray", "complaint"),
    [
        (member("../outside.json"), "leads out of the artefact"),
        (member("/etc/passwd.json"), "leads out of the artefact"),
        (member("code/link.py", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link or a device"),
        (member("hard.json", type=tarfile.LNKTYPE, linkname="model.json"), "is a link or a device"),
        (member("device.json", type=tarfile.CHRTYPE), "is a link or a device"),
        (member("model.pkl"), "neither JSON nor Python source"),
        (member("model.joblib"), "neither JSON nor Python source"),
        (member("code/native.so"), "neither JSON nor Python source"),
        (member("extensionless"), "neither JSON nor Python source"),
    ],
)
def test_artefact_with_a_stray_member_is_refused(
    trained: Trained, tmp_path: Path, stray: tarfile.TarInfo, complaint: str
) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as content:
        content.add(trained.unpacked, ".")
        content.addfile(stray, io.BytesIO())
    assert complaint in unsafe_members(archive)[0]
    with pytest.raises(JobError, match="is refused"):
        load_artifact(tmp_path)
    assert failed(decision_on(trained.evidence, archive, trained.model)) == ["artifact"]


def test_oversized_and_broken_and_incomplete_artefacts_are_refused(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"not a tar")
    assert "not a readable tar.gz" in unsafe_members(archive)[0]
    with tarfile.open(archive, "w:gz") as content:
        content.add(trained.unpacked / "model.json", "model.json")
    assert unsafe_members(archive) == [
        "calibration.json is missing",
        "transformer.json is missing",
        "signature.json is missing",
        "holdout.json is missing",
        "code/inference.py is missing",
    ]
    monkeypatch.setattr("pipeline_scripts.analysis.artifact.LARGEST_BYTES", 1024)
    assert "unpacks to more than" in unsafe_members(trained.artefact / "model.tar.gz")[0]


def test_step_succeeds_when_it_refuses(
    trained: Trained, job: Path, specification: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = {**specification, "gate": {**specification["gate"], "min_auc": 0.99}}
    (job.parent / "model-spec.json").write_text(json.dumps(strict))
    for name, value in FACTS.items():
        monkeypatch.setenv(name, value)
    assert gate.main(gate_arguments(trained.root, job / "gate")) == 0
    assert json.loads((job / "gate" / "gate.json").read_text())["passed"] == 0
    assert "Refused: the AUC" in (job / "output" / "message").read_text()
