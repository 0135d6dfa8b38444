"""The packages that Glue's workers lack arrive as a zip that Python can import from."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest

from baton.foundation.etl_libraries import EtlLibraries
from tests.infrastructure.platform_assembly import ROOT

LIBRARIES = ROOT / "build" / "etl-libraries"


@pytest.fixture(autouse=True)
def unvalidated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small project with one locked package."""
    folder = tmp_path / "project"
    (folder / "pipeline_scripts" / "etl").mkdir(parents=True)
    (folder / "pipeline_scripts" / "etl" / "requirements.lock").write_text("some-tool==1.0\n")
    (folder / "libraries" / "some_tool-1.0.dist-info").mkdir(parents=True)
    (folder / "libraries" / "some_tool").mkdir()
    (folder / "libraries" / "some_tool" / "__init__.py").write_text("")
    (folder / "libraries" / "some_tool" / "_fast.so").write_bytes(b"compiled")
    (folder / "libraries" / "bin").mkdir()
    (folder / "libraries" / "bin" / "tool").write_text("")
    return folder


def staged(source: Path, libraries: Path) -> Path:
    """The folder that the CDK will zip."""
    app = cdk.App()
    asset = EtlLibraries(cdk.Stack(app, "S"), "Libraries", source=source, folder=libraries).asset
    return Path(app.outdir) / f"asset.{asset.asset_hash}"


def test_packages_ship_without_programs_and_compiled_parts(source: Path) -> None:
    folder = staged(source, source / "libraries")
    shipped = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert shipped == {"some_tool/__init__.py"}


def test_the_hash_is_the_locks(source: Path) -> None:
    before = staged(source, source / "libraries").name
    (source / "libraries" / "some_tool" / "__init__.py").write_text("# installed by another pip\n")
    assert staged(source, source / "libraries").name == before
    (source / "libraries" / "some_tool-2.0.dist-info").mkdir()
    (source / "pipeline_scripts" / "etl" / "requirements.lock").write_text("some-tool==2.0\n")
    assert staged(source, source / "libraries").name != before


def test_fails_when_what_is_installed_is_not_what_is_locked(source: Path) -> None:
    (source / "pipeline_scripts" / "etl" / "requirements.lock").write_text("some-tool==2.0\n")
    with pytest.raises(FileNotFoundError, match=r"there is no some_tool 2\.0; run `make install`"):
        staged(source, source / "libraries")


def test_a_worker_imports_the_projects_packages_from_the_zip(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "libraries"), "zip", staged(ROOT, LIBRARIES))
    script = (
        f"import sys, json; sys.path.insert(0, {archive!r}); import bson, pymongo, redis; "
        "from pymongo import MongoClient; client = MongoClient('localhost', connect=False, tls=True); client.close(); "
        "redis.Redis(host='localhost', ssl=True); bson.decode(bson.encode({'a': 1})); "
        "print(json.dumps([bson.__file__, pymongo.__file__, redis.__file__]))"
    )
    result = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert all(place.startswith(archive) for place in json.loads(result.stdout))
