"""One synthesis of foundation, lake, ETL and governance, shared by the tests of these four."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from baton.governance.governed_model import GovernedModel
from baton.registry.model_registry import ModelRegistry
from stacks.acknowledgements import acknowledge
from stacks.data_lake_stack import DataLakeStack
from stacks.governance_stack import GovernanceStack
from stacks.ingestion_stack import IngestionStack
from stacks.settings import load_environment, load_models

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENTS = ("dev", "prod")
FOLDER = tempfile.TemporaryDirectory(prefix="baton-assembly-")  # goes with the process
MODEL = load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])[0]

Resource = dict[str, Any]


class Stack:
    """A synthesised template, asked for its resources by type."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template
        self.resources: dict[str, Resource] = template["Resources"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of every resource of one type, by logical id."""
        return {key: body["Properties"] for key, body in self.resources.items() if body["Type"] == kind}

    def only(self, kind: str, *, containing: str = "") -> dict[str, Any]:
        """The properties of the one resource of that type whose logical id holds `containing`."""
        found = {key: body for key, body in self.of_type(kind).items() if containing in key}
        assert len(found) == 1, f"{len(found)} resources are {kind} with {containing!r}: {sorted(found)}"
        return next(iter(found.values()))


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a policy document, actions and resources always as lists."""
    for statement in document["Statement"]:
        both = {key: _as_list(statement[key]) for key in ("Action", "Resource") if key in statement}
        yield {"Condition": {}, **statement, **both}


@cache
def assembly() -> Path:
    """The folder of the one synthesis that the tests share."""
    return synthesise(Path(FOLDER.name))


@cache
def synthesised() -> dict[str, dict[str, Stack]]:
    """The stacks of two environments, by environment and by the last words of their names."""
    return {name: read(assembly(), name) for name in ENVIRONMENTS}


def synthesise(
    outdir: Path, *, environments: Sequence[str] = ENVIRONMENTS, account: str | None = None, validated: bool = False
) -> Path:
    """Synthesise into `outdir` and return it. Validated, it raises where cdk-nag finds something."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CDK_VALIDATION", str(validated).lower())
        flags = json.loads((ROOT / "cdk.json").read_text())["context"]
        app = cdk.App(context=flags, outdir=str(outdir))
        for name in environments:
            _build(app, name, account)
        if validated:
            cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
        app.synth()
    return outdir


def read(outdir: Path, environment: str) -> dict[str, Stack]:
    """The templates of one environment in a synthesised folder."""
    folder = outdir / f"assembly-{environment}"
    return {
        suffix: Stack(json.loads(next(folder.glob(f"{environment}{suffix}*.template.json")).read_text()))
        for suffix in ("DataLake", "Ingestion", "Governance")
    }


def _build(app: cdk.App, name: str, account: str | None) -> None:
    environment = load_environment(name, ROOT / "config" / "environments")
    stage = cdk.Stage(app, name, env=cdk.Environment(account=account, region=environment.region))
    lake = DataLakeStack(
        stage,
        "DataLake",
        stack_name=f"baton-{name}-data-lake",
        environment=environment,
        models=[MODEL],
        source=ROOT,
        commit="0123abc",
        author="someone",
    )
    ingestion = IngestionStack(
        stage,
        "Ingestion",
        stack_name=f"baton-{name}-bank-churn-ingestion",
        environment=environment,
        platform=lake.platform,
        model=MODEL,
    )
    GovernanceStack(
        stage,
        "Governance",
        stack_name=f"baton-{name}-governance",
        platform=lake.platform,
        models=[_governed(stage, ingestion)],
        database_name=lake.catalog.database_name,
        work_group_name=lake.work_group.work_group_name,
    )
    acknowledge(stage)


def _governed(stage: cdk.Stage, ingestion: IngestionStack) -> GovernedModel:
    """What the later stations make of a model, reduced to what a persona needs of it."""
    later = cdk.Stack(stage, "Later", stack_name=f"{stage.stage_name}-later")
    code = lambda_.Code.from_inline("def handler(event, context): ...")

    def function(construct_id: str) -> lambda_.Function:
        return lambda_.Function(
            later, construct_id, runtime=lambda_.Runtime.PYTHON_3_14, handler="index.handler", code=code
        )

    def table(construct_id: str) -> dynamodb.Table:
        return dynamodb.Table(
            later, construct_id, partition_key=dynamodb.Attribute(name="model", type=dynamodb.AttributeType.STRING)
        )

    def machine(construct_id: str) -> sfn.StateMachine:
        only = sfn.Pass(later, f"{construct_id}Pass")
        return sfn.StateMachine(later, construct_id, definition_body=sfn.DefinitionBody.from_chainable(only))

    return GovernedModel(
        name=MODEL.name,
        etl=ingestion.job,
        ingestion=machine("Ingestion"),
        ingestion_ledger_arn=table("IngestionLedger").table_arn,
        registry=ModelRegistry(
            later, "Registry", group_name="churn", description="Churn", removal_policy=cdk.RemovalPolicy.DESTROY
        ),
        pipeline_arn=later.format_arn(service="sagemaker", resource="pipeline", resource_name="churn"),
        endpoint_name="churn",
        start_training=function("StartTraining"),
        reproduce=function("Reproduce"),
        start_monitor=function("StartMonitor"),
        reconcile=machine("Reconcile"),
        pin=function("Pin"),
        ledger_arn=table("Ledger").table_arn,
        feature_group_arn=later.format_arn(service="sagemaker", resource="feature-group", resource_name="churn"),
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
