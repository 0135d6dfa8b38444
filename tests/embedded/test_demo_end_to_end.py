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

import boto3
import psutil
import pytest

from embedded import presence
from tests.embedded.notebooks import Performed, perform

ROOT = Path(__file__).parents[2]
ROWS = 3000
# The slowest machine that tests may meet; the demo bounds each of its own waits far below.
PERFORMANCE_SECONDS = 1500
START_SECONDS = 120
NOTEBOOK = ROOT / "notebooks" / "churn_version.ipynb"
CELL_SECONDS = 600
# What IAM calls otherwise than the API.
OTHERWISE = {"lambda:Invoke": "lambda:InvokeFunction", "s3:ListObjectsV2": "s3:ListBucket"}

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
    process = start(folder, "--rows", str(ROWS), "--keep")
    try:
        said, _ = process.communicate(timeout=PERFORMANCE_SECONDS)
        assert process.returncode == 0, said
        yield folder
    finally:
        process.kill()
        presence.stop_running(folder / "embedded")


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


@pytest.fixture(scope="module")
def variables(build: Path) -> dict[str, str]:
    """What points an SDK at the embedded AWS that the demo left running."""
    known = presence.running(build / "embedded")
    assert known is not None
    found: dict[str, str] = known["environment"]
    return found


def outputs(variables: dict[str, str], stack: str) -> dict[str, str]:
    described = client(variables, "cloudformation").describe_stacks(StackName=f"baton-dev-{stack}")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def client(variables: dict[str, str], service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(scope="module")
def notebook(build: Path, variables: dict[str, str]) -> Performed:
    """The notebook, run on what the demo deployed; it starts a training of its own and waits for it."""
    function = outputs(variables, "bank-churn-training")["StartTrainingFunctionName"]
    return perform(
        NOTEBOOK,
        build,
        environment=variables,
        parameters={"START_TRAINING_FUNCTION": function, "WAIT_SECONDS": CELL_SECONDS - 30},
        seconds=CELL_SECONDS,
    )


def test_the_notebook_trains_and_shows_the_registry_the_evidence_a_customer_and_a_prediction(
    notebook: Performed,
) -> None:
    assert notebook.shown("executions = ").count("Succeeded") >= 2
    assert "Approved" in notebook.shown("packages = [")
    assert "binary_classification_metrics.auc.value" in notebook.shown("evaluation = ")
    assert "DPPL" in notebook.shown("bias = ")
    assert "credit_score" in notebook.shown("group = FeatureGroup")
    assert "probability" in notebook.shown("endpoint = Endpoint")


def test_the_notebook_calls_nothing_that_the_data_scientists_role_in_studio_may_not(
    notebook: Performed, variables: dict[str, str]
) -> None:
    domain = outputs(variables, "studio")["DomainId"]
    profile = client(variables, "sagemaker").describe_user_profile(DomainId=domain, UserProfileName="data-scientist")
    role, iam = profile["UserSettings"]["ExecutionRole"].rpartition("/")[2], client(variables, "iam")
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    allowed = {
        action
        for document in documents
        for statement in document["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert len(notebook.calls) > 8
    assert {OTHERWISE.get(call, call) for call in notebook.calls} - allowed == set()


def test_the_notebook_is_kept_without_what_it_showed() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_nothing_is_left_running_once_it_is_stopped(build: Path) -> None:
    assert presence.stop_running(build / "embedded")
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
