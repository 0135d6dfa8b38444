"""The main job, once and for real on embedded AWS, with few rows: from the source to the retrained version."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
ROWS = 3000
# The slowest machine that tests may meet; the demo bounds each of its own waits far below.
PERFORMANCE_SECONDS = 1500
START_SECONDS = 120

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(PERFORMANCE_SECONDS + 60)]


def start(build: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "embedded.demo", "--build", str(build), *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def survivors(build: Path) -> list[str]:
    """Processes that still have the demo's folder on their command line."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(build) in line]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    process = start(folder, "--rows", str(ROWS))
    try:
        said, _ = process.communicate(timeout=PERFORMANCE_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, said
    yield folder


@pytest.fixture(scope="module")
def figures(build: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((build / "demo" / "summary.json").read_text())
    return content


def test_the_model_is_good(figures: dict[str, Any]) -> None:
    assert 0.8 <= figures["auc"] < 0.95


def test_every_resource_type_is_described_back(figures: dict[str, Any]) -> None:
    assert figures["resource_types_described"] == figures["resource_types_declared"] > 30


def test_no_personal_value_is_found(figures: dict[str, Any]) -> None:
    assert figures["personal_values_found"] == 0
    assert figures["personal_values_searched"] > 6 * ROWS
    assert figures["objects_searched"] > 50
    assert figures["log_events_searched"] > 50


def test_ordinary_traffic_is_quiet_and_changed_traffic_is_not(figures: dict[str, Any]) -> None:
    assert figures["violations_quiet"] == 0
    assert figures["violations_drifted"] > 0


def test_the_version_comes_out_byte_equal_when_it_is_made_again(figures: dict[str, Any]) -> None:
    reproduced = figures["reproduced"]
    assert reproduced["equal"]
    assert {"model.json", "transformer.json", "signature.json"} <= {file["name"] for file in reproduced["files"]}


def test_the_alarm_retrained_and_the_first_version_goes_on_serving(figures: dict[str, Any]) -> None:
    retrained, first = figures["versions"]
    assert retrained["status"] == "PendingManualApproval"
    assert retrained["arn"] == figures["retrained_version"]["arn"]
    assert retrained["reason"].startswith("alarm")
    assert retrained["dataset_hash"] != first["dataset_hash"]
    assert (first["status"], first["serving"], retrained["serving"]) == ("Approved", True, False)


def test_the_retrained_version_was_measured_against_the_first_on_the_same_rows(figures: dict[str, Any]) -> None:
    against, first = figures["retrained_version"]["comparison"], figures["versions"][-1]
    assert (against["champion"], against["metric"]) == (first["version"], "auc")
    assert against["difference"] == pytest.approx(against["challenger"] - against["champion_value"])
    assert -against["max_loss"] <= against["low"] <= against["difference"] <= against["high"]
    assert against["p_value"] < 1 - against["confidence"]


def test_one_prediction_leads_back_to_commit_and_people(figures: dict[str, Any]) -> None:
    stations = {station["kind"]: station for station in figures["lineage"]}
    version = figures["versions"][-1]
    assert stations["package version"]["facts"]["arn"] == version["arn"]
    assert stations["dataset"]["name"] == version["dataset_hash"]
    assert stations["dataset"]["facts"]["check"] == "the manifest's hash is the version's"
    assert stations["code"]["name"] == version["commit"]
    assert stations["approval"]["name"] == "compliance-officer"
    assert {"source table", "ingestion", "evidence"} <= set(stations), "what lineage alone knows"
    assert figures["lineage_missing"] == []


def test_the_trace_is_drawn(build: Path, figures: dict[str, Any]) -> None:
    svg = (build / "demo" / "lineage.svg").read_text()
    assert svg.count("<rect") == len(figures["lineage"])


def test_the_page_shows_it(build: Path) -> None:
    page = (build / "demo" / "index.html").read_text()
    for text in ("ROC curve", "Calibration", "traced back", "after the change", "compliance-officer"):
        assert text in page
    assert len(page.encode()) < 6_000_000


def test_the_signed_page_of_the_approved_version_lies_beside_it(build: Path) -> None:
    page = (build / "demo" / "evidence.html").read_text()
    for text in ("evidence for a decision", "What the gate asked", "Personal data", "jinja2-3.1.6", "ROC curve"):
        assert text in page


def test_nothing_is_left_running(build: Path) -> None:
    assert survivors(build) == []
    assert not (build / "embedded" / "endpoint.json").exists()


def test_ctrl_c_stops_everything(tmp_path: Path) -> None:
    process = start(tmp_path)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (tmp_path / "embedded" / "assembly").exists() and time.monotonic() < deadline:
            time.sleep(0.2)  # until it synthesises and bootstraps: two further processes
        assert survivors(tmp_path)
        os.kill(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=START_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "everything that the demo had started has ended" in said
    assert survivors(tmp_path) == []
