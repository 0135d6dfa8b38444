"""The page of a version: all that its evidence says, nothing from elsewhere, the same from a folder and from a zip."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline_scripts.evidence.bundle import Origin, make_bundle
from pipeline_scripts.evidence.page.decision import render
from tests.runtime.churn import Trained

ROOT = Path(__file__).parents[2]
ORIGIN = Origin(
    model="bank_churn",
    execution="arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/run-1",
    commit="0123abc",
    author="Ada <script>alert(1)</script>",
    reason="manual",
    image="registry/xgboost:3.0-5@sha256:1",
    environment_sha256="e" * 64,
    evidence_uri="s3://evidence/bank_churn/run-1",
    dataset_uri="s3://curated/bank_churn/runs/r1/",
    dataset_hash="d" * 64,
)
MANIFEST = {
    "dataset_hash": "d" * 64,
    "rows": 3000,
    "files": [{"name": "part-0.parquet"}],
    "quality": [{"rule": "range balance 0..", "outcome": "PASS", "detail": "no row rejected", "failed_rows": 0}],
    "rejected": {"range credit_score 300..850": 12},
}
CHAMPION = {
    "champion": 3,
    "comparable": True,
    "reason": "",
    "metric": "auc",
    "challenger": 0.8280,
    "champion_value": 0.8214,
    "difference": 0.0066,
    "low": -0.0040,
    "high": 0.0170,
    "confidence": 0.95,
    "rows": 600,
}
WAIVER = {"approver": "grace@bank.example", "reason": "RISK-211", "granted": "2026-11-01", "expires": "2026-12-31"}


@pytest.fixture
def evidence(trained: Trained, tmp_path: Path) -> Path:
    shutil.copytree(trained.evidence, tmp_path / "evidence")
    return tmp_path / "evidence"


def bundle(trained: Trained, evidence: Path) -> dict[str, Any]:
    archive = trained.artefact / "model.tar.gz"
    return make_bundle(origin=ORIGIN, manifest=MANIFEST, evidence=evidence, archive=archive, wheels=None)


def page(trained: Trained, evidence: Path) -> str:
    return render(bundle(trained, evidence), evidence=evidence, model=trained.model)


def change(path: Path, **content: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **content}))


def test_it_says_what_was_trained_from_what_by_whom(trained: Trained, evidence: Path) -> None:
    found = page(trained, evidence)
    content = bundle(trained, evidence)
    told = [
        *(ORIGIN.commit, ORIGIN.dataset_hash, ORIGIN.execution, ORIGIN.image, content["artifact"]["sha256"]),
        *(content["environment"]["lock"]["sha256"], *content["artifact"]["members"].values()),
        *content["files"].values(),
    ]
    assert not [text for text in told if text not in found]


def test_it_shows_every_check_and_metric_and_what_became_of_each_column(trained: Trained, evidence: Path) -> None:
    found = page(trained, evidence)
    content = bundle(trained, evidence)
    assert not [check["name"] for check in content["gate"]["checks"] if check["name"] not in found]
    evaluation = json.loads((evidence / "evaluation" / "evaluation.json").read_text())
    interval = evaluation["intervals"]["auc"]
    assert f"{evaluation['auc']:.4f}" in found and f"{interval['low']:.4f} to {interval['high']:.4f}" in found
    assert not [column.name for column in trained.model.columns if f">{column.name}<" not in found]
    assert "range balance 0.." in found and "12 for range credit_score 300..850" in found


def test_it_needs_nothing_and_runs_nothing(trained: Trained, evidence: Path) -> None:
    found = page(trained, evidence)
    assert not re.findall(r"<(?:script|link|img|iframe|object)\b|https?://|@import|\bsrc=|\bhref=", found)
    assert "&lt;script&gt;" in found
    assert found.count("<svg") == 5 + len(trained.model.features)


def test_what_the_model_is_for_comes_first(trained: Trained, evidence: Path) -> None:
    found = page(trained, evidence)
    card = trained.model.settings["card"]
    assert found.index(html.escape(card["out_of_scope"])) < found.index("What the gate asked")


def test_of_the_first_version_it_says_that_there_is_no_champion(trained: Trained, evidence: Path) -> None:
    assert "Not compared: no version was approved yet, so there is no champion." in page(trained, evidence)


def test_both_versions_stand_side_by_side(trained: Trained, evidence: Path) -> None:
    change(evidence / "gate" / "gate.json", champion=CHAMPION)
    found = page(trained, evidence)
    for text in ("champion, version 3", "0.8280", "0.8214", "+0.0066", "-0.0040 to +0.0170", "95 % bounds"):
        assert text in found


def test_a_champion_that_could_not_be_compared_is_named_with_the_reason(trained: Trained, evidence: Path) -> None:
    change(evidence / "gate" / "gate.json", champion={"champion": 3, "comparable": False, "reason": "its file is gone"})
    assert "Not compared: its file is gone." in page(trained, evidence)


def test_a_waiver_stands_with_its_check_and_at_the_top(trained: Trained, evidence: Path) -> None:
    gate = evidence / "gate" / "gate.json"
    checks = json.loads(gate.read_text())["checks"]
    change(gate, checks=[{**checks[0], "passed": False, "waived": WAIVER}, *checks[1:]])
    found = page(trained, evidence)
    assert "passed with waivers" in found
    assert "Waived by grace@bank.example</b> from 2026-11-01 until 2026-12-31: RISK-211" in found


def test_a_metric_outside_of_its_bounds_is_told_by_its_shape_too(trained: Trained, evidence: Path) -> None:
    gate = evidence / "gate" / "gate.json"
    assert "mark bad cross" not in page(trained, evidence)
    checks = json.loads(gate.read_text())["checks"]
    fair = next(check for check in checks if isinstance(check["bound"], list))
    fair.update(value=0.9, passed=False, waived=WAIVER)
    change(gate, checks=checks)
    assert page(trained, evidence).count("mark bad cross") == 1


def test_partial_dependence_is_drawn_for_numbers_and_for_words(trained: Trained, evidence: Path) -> None:
    path = evidence / "explainability" / "analysis.json"
    explanations = json.loads(path.read_text())["explanations"]
    explanations["pdp"] = [
        {"feature_name": "balance", "feature_values": [0, 50, 100], "model_predictions": [[0.2, 0.3, 0.4]]},
        {"feature_name": "country", "feature_values": ["France", "Spain"], "model_predictions": [[0.1, 0.5]]},
    ]
    change(path, explanations=explanations)
    found = page(trained, evidence)
    assert "Mean answer by balance: 0 0.2, 50 0.3, 100 0.4" in found
    assert "Mean answer by country: France 0.1, Spain 0.5" in found


def test_a_group_too_small_for_a_metric_has_no_number(trained: Trained, evidence: Path) -> None:
    path = evidence / "bias" / "analysis.json"
    facets = json.loads(path.read_text())["post_training_bias_metrics"]
    facets["facets"]["gender*age_group"] = [
        {"value_or_threshold": "Female*70+", "metrics": [{"name": "DI", "description": "DI", "value": None}]}
    ]
    change(path, post_training_bias_metrics=facets)
    found = page(trained, evidence)
    assert "gender*age_group = Female*70+" in found and "too few rows" in found


def test_from_a_zip_it_is_the_same(trained: Trained, evidence: Path, tmp_path: Path) -> None:
    package = ROOT / "pipeline_scripts"
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        for path in sorted(package.rglob("*")):
            if path.suffix in (".py", ".html", ".css") or path == package / "requirements.lock":
                archive.write(path, path.relative_to(ROOT))
    (tmp_path / "bundle.json").write_text(json.dumps(bundle(trained, evidence)))
    program = (
        "import json, sys, pipeline_scripts\n"
        "from pathlib import Path\n"
        "from pipeline_scripts.evidence.page.decision import render\n"
        "from pipeline_scripts.model import load_model\n"
        "assert 'code.zip' in pipeline_scripts.__file__\n"
        "bundle = json.loads(Path('bundle.json').read_text())\n"
        "page = render(bundle, evidence=Path('evidence'), model=load_model())\n"
        "Path('page.html').write_text(page, encoding='utf-8')\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "code.zip"),
        "BATON_MODEL_JSON": str(trained.root / "model-spec.json"),
    }
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "page.html").read_text() == page(trained, evidence)
