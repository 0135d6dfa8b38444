"""How a script starts in a container, and how it knows its model."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline_scripts.__main__ import install_wheels, main, missing_wheels
from pipeline_scripts.model import load_model, parse_model
from stacks.settings import load_environment, load_models

ROOT = Path(__file__).parents[2]


@pytest.fixture
def model_json() -> dict[str, object]:
    environment = load_environment("dev", ROOT / "config" / "environments")
    return load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [environment])[0].model_dump(mode="json")


def wheel(folder: Path, project: str, version: str) -> Path:
    """A wheel with one module that knows its version."""
    path = folder / f"{project}-{version}-py3-none-any.whl"
    about = f"{project}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{project}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        archive.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


def test_wheel_that_is_installed_at_its_version_is_not_missing(tmp_path: Path) -> None:
    assert missing_wheels([tmp_path / "smclarify-0.5-py3-none-any.whl"]) == []


def test_wheel_of_another_version_is_missing(tmp_path: Path) -> None:
    other = tmp_path / "smclarify-0.1-py3-none-any.whl"
    assert missing_wheels([other]) == [other]


def test_wheels_of_an_archive_become_importable_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    with zipfile.ZipFile(tmp_path / "wheels.zip", "w") as archive:
        archive.write(wheel(tmp_path, "baton_travelling", "1.2"), "baton_travelling-1.2-py3-none-any.whl")
    install_wheels(tmp_path)
    assert __import__("baton_travelling").VERSION == "1.2"


def test_script_runs_from_the_zip_that_ships_it(tmp_path: Path, model_json: dict[str, object]) -> None:
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        for name in ("__init__.py", "__main__.py", "model.py"):
            archive.write(ROOT / "pipeline_scripts" / name, f"pipeline_scripts/{name}")
        archive.writestr("pipeline_scripts/model.json", json.dumps(model_json))
        archive.writestr(
            "pipeline_scripts/shown.py",
            "from pipeline_scripts.model import load_model\n"
            "def main(argv):\n    print(load_model().name, *argv)\n    return 3\n",
        )
    result = subprocess.run(
        [sys.executable, "-m", "pipeline_scripts", "shown", "--loud"],
        env={"PYTHONPATH": str(tmp_path / "code.zip")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (result.stdout.strip(), result.returncode) == ("bank_churn --loud", 3), result.stderr


def test_start_without_a_script_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "name the script to run" in capsys.readouterr().err


def test_model_can_come_from_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_json: dict[str, object]
) -> None:
    (tmp_path / "model.json").write_text(json.dumps(model_json))
    monkeypatch.setenv("BATON_MODEL_JSON", str(tmp_path / "model.json"))
    assert load_model().name == "bank_churn"


def test_requests_carry_the_features_and_then_the_other_facets(model_json: dict[str, object]) -> None:
    model = parse_model(model_json)
    assert model.inputs == (*model.features, "gender")


@pytest.mark.parametrize(
    ("output", "kind"),
    [("customer_ref", "integer"), ("account_hash", "string"), ("age_group", "string"), ("balance", "double")],
)
def test_kind_of_a_curated_column_follows_its_treatment(model_json: dict[str, object], output: str, kind: str) -> None:
    assert parse_model(model_json).kind(output) == kind


def test_kind_of_an_unknown_column_is_refused(model_json: dict[str, object]) -> None:
    with pytest.raises(KeyError, match="no column has the output 'shoe_size'"):
        parse_model(model_json).kind("shoe_size")
