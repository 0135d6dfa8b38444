"""Models that are served in every way there is, synthesised once for the tests of serving."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from baton.permissions import acknowledge_wildcards
from baton.serving.asynchronous_endpoint import AsynchronousEndpoint
from baton.serving.batch_transform import BatchTransform
from stacks.data_lake_stack import DataLakeStack
from stacks.serving_stack import ServingStack
from tests.conftest import NODE, ROOT, Assembly, read_assembly

MACHINE = {"instance_type": "ml.m5.large"}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "linear": {
        **MACHINE,
        "deployment": {"strategy": "linear", "step": {"percent": 25}, "wait_minutes": 7, "keep_minutes": 20},
        "limits": {
            "positive_share": [0.05, 0.4],
            "mean_answer": [0.1, 0.5],
            "refused_requests": 20,
            "unseen_categories": 50,
        },
        "challenger": {"percent": 10, "instance_count": 2},
        "scaling": {
            "by": "concurrency",
            "concurrent_requests_per_instance": 6,
            "schedule": [
                {"at": "cron(0 7 ? * MON-FRI *)", "timezone": "Europe/Berlin", "percent": 50},
                {"at": "cron(0 19 ? * MON-FRI *)", "timezone": "Europe/Berlin", "percent": 0},
            ],
        },
    },
    "rolling": {**MACHINE, "kind": "realtime", "deployment": {"strategy": "rolling", "step": {"percent": 50}}},
    "shadow": {
        **MACHINE,
        "deployment": {"strategy": "all_at_once"},
        "shadow": {"percent": 40, "instance_type": "ml.c6i.large"},
    },
    "asynchronous": {
        **MACHINE,
        "kind": "asynchronous",
        "monitors": "none",
        "input_prefix": "letters/in/",
        "limits": {"mean_answer": [0.1, 0.5]},
    },
    "serverless": {
        **MACHINE,
        "kind": "serverless",
        "monitors": "none",
        "network": "public",
        "memory_mb": 3072,
        "max_concurrency": 20,
        "provisioned_concurrency": 2,
        "limits": {"positive_share": [0.05, 0.4]},
    },
    "batch": {
        **MACHINE,
        "kind": "batch",
        "monitors": "managed",
        "schedule": "cron(0 4 ? * MON-FRI *)",
        "instance_count": 2,
        "max_runtime_minutes": 90,
    },
}
OPEN_KINDS: Mapping[str, Mapping[str, Any]] = {
    **KINDS,
    "explained": {**MACHINE, "explainer": {"rows": "[0] > `0.5`", "samples": 200}},
}
"""Those, and one whose answers managed analyses could not read."""


def served(name: str) -> dict[str, Any]:
    """The sample model's file, with another name and way of serving. Its features stay with the original."""
    content = yaml.safe_load((ROOT / "config" / "models" / "bank_churn.yaml").read_text())
    del content["feature_store"]
    return {**content, "name": name, "serving": dict(OPEN_KINDS[name])}


def synthesise(folder: Path, environment: str) -> Assembly:
    """Every kind in one environment. An unacknowledged finding of cdk-nag makes the synthesis fail."""
    files = folder / "models"
    files.mkdir()
    for name in KINDS if environment == "prod" else OPEN_KINDS:
        (files / f"{name}.yaml").write_text(yaml.safe_dump(served(name)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{NODE}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CDK_VALIDATION", "false")
        from app import build

        outdir = folder / "assembly"
        app = build({"environment": environment, "models": str(files)}, outdir=str(outdir))
        _let_callers_ask(app.node.find_child(environment))
        app.synth()
    return read_assembly(outdir)


def _let_callers_ask(stage: IConstruct) -> None:
    """A stack of somebody else, with a role for each kind that may ask it."""
    callers = cdk.Stack(stage, "Callers", stack_name="callers")
    [lake] = [stack for stack in stage.node.children if isinstance(stack, DataLakeStack)]
    for stack in [stack for stack in stage.node.children if isinstance(stack, ServingStack)]:
        name = stack.served.endpoint_name.rpartition("-")[2].capitalize()
        role = iam.Role(callers, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        stack.served.grant_invoke(role)
        if isinstance(stack.served, AsynchronousEndpoint | BatchTransform):
            requests = lake.platform.zones.monitoring.arn_for_objects(f"{stack.served.input_prefix}*")
            acknowledge_wildcards(role, [requests], reason="The names of requests are the caller's own.")
