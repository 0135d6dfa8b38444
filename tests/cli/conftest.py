"""The `baton` command in front of a canned AWS."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

# Tests are imported by path (import-mode importlib), so a module they share is registered by hand.
_SPEC = importlib.util.spec_from_file_location("canned", Path(__file__).parent / "canned.py")
assert _SPEC and _SPEC.loader
canned: Any = importlib.util.module_from_spec(_SPEC)
sys.modules["canned"] = canned
_SPEC.loader.exec_module(canned)

Baton = Callable[..., Result]


@pytest.fixture
def world() -> Any:
    return canned.World()


@pytest.fixture
def connection(world: Any) -> Any:
    return canned.CannedConnection(world.answers)


@pytest.fixture
def baton(connection: Any, monkeypatch: pytest.MonkeyPatch) -> Baton:
    from cli import options
    from cli.main import app

    monkeypatch.setattr(options, "connect", lambda *, embedded: connection)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("cli.waiting.time.sleep", lambda seconds: None)
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), **options)
