"""One synthesis of an environment whose models read every kind of source, for the tests of the ways to them."""

import json
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from baton.specification.model import ModelSpecification
from stacks.acknowledgements import acknowledge
from stacks.connections import Connection
from stacks.data_lake_stack import DataLakeStack
from stacks.ingestion_stack import IngestionStack
from stacks.settings import Environment, load_environment
from tests.infrastructure.platform_assembly import MODEL, ROOT, Stack

COMPANY_SECRET = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:core/reader-AbC123"
READER = "arn:aws:iam::333333333333:role/baton-reads"
KEY = "arn:aws:kms:eu-west-1:111111111111:key/0f3f5e2a-5c9b-4b1c-9a55-3f6f0c7d1e11"
BANK_CA = "tests/infrastructure/bank_ca.pem"
SERVER = {"host": "db.bank.example"}

CONNECTIONS: dict[str, dict[str, Any]] = {
    "postgresql": {"engine": "postgresql", **SERVER, "port": 5432, "database": "core"},
    "mysql": {"engine": "mysql", **SERVER, "port": 3306, "database": "core"},
    "mariadb": {"engine": "mariadb", **SERVER, "port": 3307, "database": "core"},
    "sqlserver": {"engine": "sqlserver", **SERVER, "port": 1433, "database": "core"},
    "oracle": {"engine": "oracle", **SERVER, "port": 2484, "database": "core.bank.example"},
    "companysecret": {
        "engine": "postgresql",
        **SERVER,
        "port": 5432,
        "database": "core",
        "secret": COMPANY_SECRET,
    },
    "verified": {
        "engine": "postgresql",
        **SERVER,
        "port": 5432,
        "database": "core",
        "certificate_authority": BANK_CA,
    },
    "mongodb": {"engine": "mongodb", **SERVER, "database": "core"},
    "mongodbverified": {"engine": "mongodb", **SERVER, "database": "core", "certificate_authority": BANK_CA},
    "documentdb": {"engine": "documentdb", **SERVER, "port": 27018, "database": "core"},
    "redis": {"engine": "redis", **SERVER, "port": 6380, "database": 3},
    "dynamodb": {"engine": "dynamodb"},
    "dynamodbkey": {"engine": "dynamodb", "key": KEY},
    "dynamodbrole": {"engine": "dynamodb", "role": READER},
    "s3": {"engine": "s3", "bucket": "bank-exports"},
    "s3key": {"engine": "s3", "bucket": "bank-exports", "key": KEY},
    "s3role": {"engine": "s3", "bucket": "partner-exports", "role": READER},
}
TABLES = {"redis": "customer:*", "dynamodb": "Customers", "s3": "exports/customers/"}
SERVERS = [name for name, connection in CONNECTIONS.items() if "host" in connection]
RELATIONAL = ["postgresql", "mysql", "mariadb", "sqlserver", "oracle", "companysecret", "verified"]
FOLDER = tempfile.TemporaryDirectory(prefix="baton-sources-")  # goes with the process


@cache
def synthesised() -> tuple[dict[str, Stack], list[str], Path]:
    """The stacks by the name of the connection they read (and `DataLake`), what cdk-nag found, and their folder."""
    outdir = Path(FOLDER.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CDK_VALIDATION", "false")
        app = cdk.App(context=json.loads((ROOT / "cdk.json").read_text())["context"], outdir=str(outdir))
        _build(app)
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
        findings = _synthesise(app, outdir)
    folder = outdir / "assembly-dev"
    stacks = {
        name: Stack(json.loads(next(folder.glob(f"dev{name}????????.template.json")).read_text()))
        for name in ("DataLake", *CONNECTIONS)
    }
    return stacks, findings, folder


def environment_with(connections: dict[str, dict[str, Any]]) -> Environment:
    """dev, with other connections."""
    plain = load_environment("dev", ROOT / "config" / "environments").model_dump(exclude={"connections"})
    return Environment.model_validate({**plain, "connections": connections})


def model_on(name: str, connection: Connection) -> ModelSpecification:
    """The sample model as `name`, reading through a connection of that name; its customers are of a shared domain."""
    content = MODEL.model_dump(mode="json")
    files = {"format": "parquet", "watermark": "last_modified"} if connection.engine == "s3" else {}
    content["source"] |= {"connection": name, "table": TABLES.get(connection.engine, "CUSTOMERS"), **files}
    content["columns"]["CUSTOMER_ID"]["domain"] = "customer"
    return ModelSpecification.model_validate({**content, "name": f"on_{name}"})


def _build(app: cdk.App) -> None:
    environment = environment_with(CONNECTIONS)
    models = {name: model_on(name, connection) for name, connection in environment.connections.items()}
    stage = cdk.Stage(app, "dev", env=cdk.Environment(region=environment.region))
    lake = DataLakeStack(
        stage,
        "DataLake",
        environment=environment,
        models=list(models.values()),
        source=ROOT,
        commit="0123abc",
        author="someone",
    )
    for name, model in models.items():
        IngestionStack(stage, name, environment=environment, platform=lake.platform, model=model)
    acknowledge(stage)


def _synthesise(app: cdk.App, outdir: Path) -> list[str]:
    try:
        app.synth()
    except RuntimeError:
        report = json.loads((outdir / "validation-report.json").read_text())
        return [
            f"{violation['ruleName']} at {place['constructPath']}"
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            for place in violation["violatingConstructs"]
        ]
    return []
