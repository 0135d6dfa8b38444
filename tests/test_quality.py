"""The checks that a reviewer would otherwise have to make: types, style, and which way imports point."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'constructs'}"}
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True, env=environment
    )


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("lint-imports",)],
    ids=lambda command: "-".join(command[:2]),
)
def test_check_passes(command: tuple[str, ...]) -> None:
    result = run(*command)
    assert result.returncode == 0, result.stdout + result.stderr


def test_ruff_refuses_a_second_copy_of_the_constructs(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("from constructs.baton.specification import Source\n\nprint(Source)\n")
    result = run("ruff", "check", "--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path))
    assert "TID251" in result.stdout


def test_mypy_refuses_an_untyped_function(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def untyped(x):\n    return x\n")
    result = run("mypy", "--config-file", str(ROOT / "pyproject.toml"), str(tmp_path / "bad.py"))
    assert "no-untyped-def" in result.stdout
