"""Syntheses of environments that take their versions from another's registry: in one account, in two, and in three."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Assembly, read_assembly

CONFIG = Path(__file__).parent.parent.parent / "config" / "environments"
FOLDER = tempfile.TemporaryDirectory(prefix="baton-shared-")  # goes with the process
DEV, STAGING, PROD = "111111111111", "222222222222", "333333333333"
Files = dict[str, dict[str, Any]]


def registry(owner: str, account: str) -> dict[str, Any]:
    """What an environment's file says of the registry of `owner`."""
    return {
        "from": owner,
        "models_bucket": f"baton-{owner}-models",
        "evidence_bucket": f"baton-{owner}-evidence",
        "models_key": f"arn:aws:kms:eu-west-1:{account}:key/{owner}-models",
        "signing_keys": {"bank_churn": f"arn:aws:kms:eu-west-1:{account}:key/{owner}-signs"},
    }


def shipped() -> Files:
    """The environments' files as they are shipped."""
    return {name: yaml.safe_load((CONFIG / f"{name}.yaml").read_text()) for name in ("dev", "staging", "prod")}


def with_keys(files: Files, changes: Mapping[str, Mapping[str, Any]]) -> Files:
    """The files with other keys, by environment."""
    return {name: {**body, **changes.get(name, {})} for name, body in files.items()}


CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "one account": {"prod": {"registry": registry("staging", STAGING)}},
    "two accounts": {
        "staging": {"account": STAGING},
        "prod": {"account": PROD, "registry": registry("staging", STAGING)},
    },
    "embedded": {"staging": {"analysis_backend": "open", "poll_seconds": 1, "registry": registry("dev", DEV)}},
    "three accounts": {
        "dev": {"account": DEV},
        "staging": {"account": STAGING, "registry": registry("dev", DEV)},
        "prod": {"account": PROD, "registry": registry("dev", DEV)},
    },
}


def write(files: Files, folder: Path) -> Path:
    """Write the files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(body))
    return folder


@cache
def synthesised(case: str) -> Assembly:
    """The three environments of one of the cases, checked by cdk-nag: a finding raises."""
    folder = Path(FOLDER.name) / case.replace(" ", "-")
    environments = write(with_keys(shipped(), CHANGES[case]), folder / "environments")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        # The CDK's own validation is dear; of the cases, this one has every resource that the others have.
        patch.setenv("CDK_VALIDATION", str(case == "two accounts").lower())
        from app import build

        build({"environments": str(environments)}, outdir=str(folder / "cdk.out")).synth()
    return read_assembly(folder / "cdk.out")


def text(template: Any) -> str:
    """A template, or a part of one, as one text."""
    return json.dumps(template, sort_keys=True)
