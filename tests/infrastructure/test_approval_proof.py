"""How a kind of serving is proven decides what the proof may do."""

import json
import os
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from baton.approval.proof import proof
from baton.approval.target import ServingTarget
from baton.foundation.ledger import Ledger
from stacks.acknowledgements import acknowledge
from stacks.data_lake_stack import DataLakeStack
from stacks.settings import load_environment
from tests.infrastructure.platform_assembly import MODEL, ROOT

NEEDS: dict[str, dict[str, Any]] = {
    "realtime": {"max_latency_ms": 200},
    "serverless": {"max_latency_ms": 1000},
    "batch": {
        "canary_prefix": "bank_churn/batch/canaries/",
        "answer_prefixes": ("bank_churn/batch/canary-answers/",),
        "canary_instance_type": "ml.m5.large",
    },
    "asynchronous": {
        "canary_prefix": "bank_churn/asynchronous/requests/",
        "answer_prefixes": ("bank_churn/asynchronous/answers/", "bank_churn/asynchronous/failures/"),
    },
}


def target(kind: str, **more: Any) -> ServingTarget:
    return ServingTarget(
        stack_name="serving",
        endpoint_name="churn",
        endpoint_arn="arn:aws:sagemaker:eu-west-1:000000000000:endpoint/churn",
        deployment_limit=cdk.Duration.hours(1),
        kind=kind,  # type: ignore[arg-type]
        **more,
    )


@cache
def template(kind: str) -> dict[str, Any]:
    """The stack with the proof of one kind, after cdk-nag has found nothing in it."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CDK_VALIDATION", "true")
        app = cdk.App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=folder)
        environment = load_environment("dev", ROOT / "config" / "environments")
        stage = cdk.Stage(app, "dev", env=cdk.Environment(region=environment.region))
        lake = DataLakeStack(
            stage,
            "DataLake",
            environment=environment,
            models=[MODEL],
            source=ROOT,
            commit="abc",
            author="someone",
        )
        stack = cdk.Stack(stage, "Proof")
        ledger = Ledger(
            stack,
            "Ledger",
            partition_key="endpoint",
            sort_key="item",
            key=lake.platform.keys.operations,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        proof(stack, "Prove", platform=lake.platform, target=target(kind, **NEEDS[kind]), ledger=ledger)
        acknowledge(stage)
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
        app.synth()
        [file] = Path(folder).glob("assembly-dev/devProof*.template.json")
        found: dict[str, Any] = json.loads(file.read_text())
    return found


def statements(kind: str) -> list[dict[str, Any]]:
    return [
        statement
        for body in template(kind)["Resources"].values()
        if body["Type"] == "AWS::IAM::Policy"
        for statement in body["Properties"]["PolicyDocument"]["Statement"]
    ]


def actions(kind: str) -> set[str]:
    listed = [statement["Action"] for statement in statements(kind)]
    return {action for entry in listed for action in ([entry] if isinstance(entry, str) else entry)}


@pytest.mark.parametrize("kind", ["realtime", "serverless"])
def test_an_endpoint_that_answers_at_once_is_asked_and_nothing_else(kind: str) -> None:
    asked = {a for a in actions(kind) if a.startswith(("sagemaker:", "s3:", "dynamodb:", "cloudformation:"))}
    assert asked == {"sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint", "cloudformation:DescribeStacks"}


def test_an_endpoint_that_answers_later_is_asked_through_its_own_prefixes() -> None:
    asked = {a for a in actions("asynchronous") if a.startswith(("sagemaker:", "dynamodb:", "cloudformation:"))}
    assert asked == {
        "sagemaker:DescribeEndpoint",
        "sagemaker:InvokeEndpointAsync",
        "dynamodb:UpdateItem",
        "cloudformation:DescribeStacks",
    }
    of_s3 = {s["Action"]: json.dumps(s["Resource"]) for s in statements("asynchronous") if "s3:" in str(s["Action"])}
    assert of_s3.keys() == {"s3:PutObject", "s3:GetObject", "s3:ListBucket"}
    assert "bank_churn/asynchronous/requests/canary-of-version-*" in of_s3["s3:PutObject"]
    assert "answers/*" in of_s3["s3:GetObject"] and "failures/*" in of_s3["s3:GetObject"]
    assert "requests" not in of_s3["s3:GetObject"]


def test_a_batch_is_asked_by_transform_jobs_of_the_proofs_own_name() -> None:
    asked = {a for a in actions("batch") if a.startswith(("sagemaker:", "dynamodb:", "cloudformation:"))}
    assert asked == {
        "sagemaker:CreateTransformJob",
        "sagemaker:DescribeTransformJob",
        "sagemaker:StopTransformJob",
        "sagemaker:DescribeModel",
        "dynamodb:UpdateItem",
        "cloudformation:DescribeStacks",
    }
    [jobs] = [s["Resource"] for s in statements("batch") if "sagemaker:CreateTransformJob" in s["Action"]]
    assert json.dumps(jobs).count("transform-job/churn-canary-*") == 1


@pytest.mark.parametrize("kind", sorted(NEEDS))
def test_each_kind_has_the_handler_that_asks_its_way(kind: str) -> None:
    [function] = [b["Properties"] for b in template(kind)["Resources"].values() if b["Type"] == "AWS::Lambda::Function"]
    handler = f"reconcile_prove_{kind}" if kind in ("asynchronous", "batch") else "reconcile_prove"
    assert function["Handler"] == f"pipeline_scripts.functions.{handler}.handler"
    assert function["Environment"]["Variables"]["SERVING_KIND"] == kind


@pytest.mark.parametrize(
    ("kind", "what"),
    [("realtime", "max_latency_ms"), ("asynchronous", "canary_prefix"), ("batch", "canary_instance_type")],
)
def test_a_target_without_what_its_proof_needs_is_refused(kind: str, what: str) -> None:
    with pytest.raises(ValueError, match=f"serving: .*{what}"):
        target(kind)
