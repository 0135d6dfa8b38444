"""What is dear to make, and so made once: a synthesis of the whole app, and a Spark."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pyspark.sql import SparkSession

from tests.spark import start_spark

# A commit passes or fails, however often it is tested. New examples: `pytest --hypothesis-profile=default`.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

ROOT = Path(__file__).parent.parent
NODE = Path(sys.prefix) / "bin"
Template = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """A synthesised app: its folder, and its templates by environment and stack name."""

    folder: Path
    templates: dict[str, dict[str, Template]]

    def stack(self, environment: str, suffix: str) -> Template:
        """The template of the one stack of `environment` whose name ends with `suffix`."""
        matches = [body for name, body in self.templates[environment].items() if name.endswith(f"-{suffix}")]
        assert len(matches) == 1, f"{environment} has {len(matches)} stacks ending in -{suffix}"
        return matches[0]

    def each(self) -> Iterator[tuple[str, str, Template]]:
        for environment, stacks in self.templates.items():
            for name, template in stacks.items():
                yield environment, name, template


def read_assembly(folder: Path) -> Assembly:
    templates: dict[str, dict[str, Template]] = {}
    for stage in sorted(folder.glob("assembly-*")):
        manifest = json.loads((stage / "manifest.json").read_text())
        templates[stage.name.removeprefix("assembly-")] = {
            artifact["properties"].get("stackName", name): json.loads(
                (stage / artifact["properties"]["templateFile"]).read_text()
            )
            for name, artifact in sorted(manifest["artifacts"].items())
            if artifact["type"] == "aws:cloudformation:stack"
        }
    return Assembly(folder, templates)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """All three environments, synthesised once, without the CDK's own validation (`make synth` has it on)."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PATH", f"{NODE}{os.pathsep}{os.environ['PATH']}")
    patch.setenv("CDK_VALIDATION", "false")
    from app import build

    folder = tmp_path_factory.mktemp("assembly")
    try:
        build(outdir=str(folder)).synth()
    finally:
        patch.undo()
    return read_assembly(folder)


@pytest.fixture(scope="session")
def kinds_in_prod(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Every kind of serving on a fleet, with managed analyses."""
    from tests.infrastructure.kinds_assembly import synthesise

    return synthesise(tmp_path_factory.mktemp("kinds"), "prod")


@pytest.fixture(scope="session")
def kinds_in_dev(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Every kind of serving on a single instance, with open analyses."""
    from tests.infrastructure.kinds_assembly import synthesise

    return synthesise(tmp_path_factory.mktemp("kinds"), "dev")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A small Spark, started once."""
    session = start_spark(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()
