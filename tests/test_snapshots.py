"""Every template as it was last accepted (`make snapshots` accepts a change)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

CONFIG = Path(__file__).parent.parent / "config"
MODELS = sorted(path.stem.replace("_", "-") for path in (CONFIG / "models").glob("*.yaml"))
SHARED = ("data-lake", "governance")
PER_MODEL = ("ingestion", "features", "training", "automation", "monitoring", "serving", "approval", "dashboard")
SUFFIXES = [*SHARED, *(f"{model}-{suffix}" for model in MODELS for suffix in PER_MODEL)]
IN = {
    environment: [*SUFFIXES, *(["studio"] if environment == "dev" else [])]
    for environment in ("dev", "staging", "prod")
}
"""The stacks of each environment; only people who develop are given notebooks."""
ASSET_HASH = re.compile(r"[0-9a-f]{64}")


def normalised(template: dict[str, Any]) -> Any:
    """The template with every asset hash replaced: a change of a script is not a change of the infrastructure."""
    return _in_order(json.loads(ASSET_HASH.sub("<asset hash>", json.dumps(template, sort_keys=True))))


def _in_order(node: Any) -> Any:
    """The resources of a statement in an order of their own: the CDK sorts them by what the hashes were."""
    if isinstance(node, list):
        return [_in_order(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: sorted(map(_in_order, value), key=json.dumps)
        if key == "Resource" and isinstance(value, list)
        else _in_order(value)
        for key, value in node.items()
    }


@pytest.mark.parametrize(
    ("suffix", "environment"), [(suffix, environment) for environment, stacks in IN.items() for suffix in stacks]
)
def test_template_is_as_accepted(assembly: Any, environment: str, suffix: str, snapshot: SnapshotAssertion) -> None:
    assert normalised(assembly.stack(environment, suffix)) == snapshot(extension_class=JSONSnapshotExtension)


def test_every_stack_has_a_snapshot(assembly: Any) -> None:
    assert {environment: len(stacks) for environment, stacks in assembly.templates.items()} == {
        environment: len(suffixes) for environment, suffixes in IN.items()
    }


def test_normalising_hides_asset_hashes_only() -> None:
    assert normalised({"S3Key": "a" * 64 + ".zip", "Name": "b"}) == {"S3Key": "<asset hash>.zip", "Name": "b"}
