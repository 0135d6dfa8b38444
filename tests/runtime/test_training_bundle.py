"""The bundle holds the hash of every file of the evidence, and the signer and reconcile accept what the step wrote."""

import hashlib
import json
import platform
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

from pipeline_scripts.functions.reconcile_verify import verify
from pipeline_scripts.functions.sign_evidence import sign_evidence
from pipeline_scripts.training import evidence
from tests.runtime.churn import Trained
from tests.runtime.lineage_told import LineageTold
from tests.runtime.reconcile_world import EVIDENCE, MODELS, archive_in, clients, signing_key

ROOT = Path(__file__).parents[2]
RUN = "bank_churn/run-1"
ORIGIN = {
    "EXECUTION": "arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/run-1",
    "COMMIT": "0123abc",
    "AUTHOR": "ada@bank.example",
    "REASON": "manual",
    "EVIDENCE_URI": "s3://evidence/bank_churn/run-1",
    "IMAGE": "registry/xgboost:3.0-5@sha256:1",
    "ENVIRONMENT_SHA256": "e" * 64,
    "DATASET_URI": "s3://curated/bank_churn/runs/r1/",
    "DATASET_HASH": "d" * 64,
}
MANIFEST = {"dataset_hash": "d" * 64, "rows": 10, "quality": [{"rule": "RowCount > 5", "outcome": "Passed"}]}


@pytest.fixture
def root(trained: Trained, job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders as SageMaker would mount them."""
    shutil.copytree(trained.evidence, tmp_path / "evidence")
    shutil.copytree(trained.artefact, tmp_path / "model")
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest" / "_manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels" / "1.zip", "w") as archive:
        archive.writestr("tool-1.0-py3-none-any.whl", b"wheel")
    for name, value in ORIGIN.items():
        monkeypatch.setenv(f"BATON_ORIGIN_{name}", value)
    monkeypatch.setenv("BATON_WHEELS", str(tmp_path / "wheels"))
    assert job == tmp_path / "ml"
    return tmp_path


def arguments(root: Path) -> list[str]:
    folders = {**{name: root / name for name in ("evidence", "model", "manifest")}, "output": root / "bundle"}
    return [text for name, folder in folders.items() for text in (f"--{name}", str(folder))]


def bundle(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / "bundle" / "bundle.json").read_text())
    return content


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def message(root: Path) -> str:
    return (root / "ml" / "output" / "message").read_text()


def test_every_file_of_the_evidence_and_the_page_are_listed_with_their_hash(root: Path) -> None:
    assert evidence.main(arguments(root)) == 0
    files = [path for path in (root / "evidence").rglob("*") if path.is_file()]
    expected = {path.relative_to(root / "evidence").as_posix(): sha256(path) for path in files}
    expected |= {f"evidence/{name}": sha256(root / "bundle" / name) for name in ("evidence.html", "model_card.json")}
    assert bundle(root)["files"] == expected and len(expected) > 8


def test_the_bundle_says_where_the_version_comes_from(root: Path) -> None:
    assert evidence.main(arguments(root)) == 0
    found = bundle(root)
    assert (found["commit"], found["author"], found["execution"]) == tuple(
        ORIGIN[name] for name in ("COMMIT", "AUTHOR", "EXECUTION")
    )
    assert found["dataset"]["manifest"] == MANIFEST
    assert found["artifact"]["sha256"] == sha256(root / "model" / "model.tar.gz")
    assert {"model.json", "code/inference.py"} <= found["artifact"]["members"].keys()
    assert found["gate"]["passed"] == 1 and found["metrics"]["auc"] == found["gate"]["quality"]["value"]


def test_the_bundle_holds_the_lock_each_wheel_and_what_the_image_has(root: Path) -> None:
    assert evidence.main(arguments(root)) == 0
    found = bundle(root)["environment"]
    lock = (ROOT / "pipeline_scripts" / "requirements.lock").read_bytes()
    assert found["lock"] == {"sha256": hashlib.sha256(lock).hexdigest(), "text": lock.decode()}
    assert found["archives"] == {"1.zip": sha256(root / "wheels" / "1.zip")}
    assert found["wheels"] == {"tool-1.0-py3-none-any.whl": hashlib.sha256(b"wheel").hexdigest()}
    assert found["installed"]["numpy"] == np.__version__
    assert found["python"] == platform.python_version()


def test_the_same_evidence_gives_the_same_bytes(root: Path) -> None:
    assert evidence.main(arguments(root)) == 0
    once = {path.name: path.read_bytes() for path in (root / "bundle").iterdir()}
    assert evidence.main(arguments(root)) == 0
    assert {path.name: path.read_bytes() for path in (root / "bundle").iterdir()} == once


def test_an_earlier_bundle_of_the_execution_is_not_listed(root: Path) -> None:
    (root / "evidence" / "evidence").mkdir()
    (root / "evidence" / "evidence" / "bundle.json").write_text("{}")
    assert evidence.main(arguments(root)) == 0
    assert "evidence/bundle.json" not in bundle(root)["files"]


def test_a_manifest_of_another_dataset_is_refused(root: Path) -> None:
    (root / "manifest" / "_manifest.json").write_text(json.dumps({**MANIFEST, "dataset_hash": "other"}))
    assert evidence.main(arguments(root)) == 1
    assert "is of the dataset other" in message(root)


def test_a_version_that_the_gate_refused_gets_no_bundle(root: Path) -> None:
    gate = root / "evidence" / "gate" / "gate.json"
    gate.write_text(json.dumps({**json.loads(gate.read_text()), "passed": 0}))
    assert evidence.main(arguments(root)) == 1
    assert "nothing to vouch for" in message(root)


def test_what_the_pipeline_did_not_say_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_ORIGIN_COMMIT")
    assert evidence.main(arguments(root)) == 1
    assert "lacks BATON_ORIGIN_COMMIT" in message(root)


@pytest.fixture
def s3() -> Iterator[Any]:
    with clients() as (_, found):
        yield found


def test_what_the_step_wrote_is_signed_and_verified(root: Path, s3: Any) -> None:
    assert evidence.main(arguments(root)) == 0
    for path in (root / "evidence").rglob("*"):
        if path.is_file():
            s3.upload_file(str(path), EVIDENCE, f"{RUN}/{path.relative_to(root / 'evidence').as_posix()}")
    for path in (root / "bundle").iterdir():
        s3.upload_file(str(path), EVIDENCE, f"{RUN}/evidence/{path.name}")
    s3.upload_file(str(root / "model" / "model.tar.gz"), MODELS, f"{RUN}/model.tar.gz")
    target = {
        "execution": ORIGIN["EXECUTION"],
        "commit": ORIGIN["COMMIT"],
        "dataset_hash": ORIGIN["DATASET_HASH"],
        "evidence_uri": f"s3://{EVIDENCE}/{RUN}",
        "artifact_uri": f"s3://{MODELS}/{RUN}/model.tar.gz",
        "artifact_sha256": bundle(root)["artifact"]["sha256"],
        "image": ORIGIN["IMAGE"],
        "environment_sha256": ORIGIN["ENVIRONMENT_SHA256"],
    }
    kms = boto3.client("kms")
    archive = archive_in(s3=s3, kms=kms, key_arn=signing_key(kms))
    digest = sign_evidence(target, archive=archive, lineage=LineageTold())["bundle_sha256"]
    assert digest == hashlib.sha256((root / "bundle" / "bundle.json").read_bytes()).hexdigest()
    told = {"evidence_sha256": digest, "unsigned": "", "author": "ada@bank.example", "approver": "grace"}
    state = verify({"target": {**target, **told}}, archive=archive)
    assert state["outcome"] == "verified", state["reason"]
