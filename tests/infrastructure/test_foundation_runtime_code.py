"""How files reach AWS: the code of jobs, the code of handlers, and their libraries."""

import ast
import json
import os
import shutil
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from baton.foundation.runtime_code import HandlerFunction, HandlerLayer, JobCode
from tests.infrastructure.platform_assembly import MODEL, ROOT, Stack

WHEEL = "tool-1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def unvalidated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small project of the right shape."""
    folder = tmp_path / "project"
    package = folder / "pipeline_scripts"
    for name in ("__init__", "model", "training/__init__", "training/train", "functions/__init__", "functions/start"):
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    (package / "training" / "__pycache__").mkdir()
    (package / "training" / "__pycache__" / "train.cpython-311.pyc").write_bytes(b"cached")
    (package / "requirements.lock").write_text("# comment\ntool==1.0\n")
    (package / "functions" / "requirements.lock").write_text("library==1\n")
    wheels = folder / "build" / "wheels"
    wheels.mkdir(parents=True)
    (wheels / WHEEL).write_bytes(b"wheel")
    (folder / "build" / "lambda-layer" / "python").mkdir(parents=True)
    (folder / "build" / "lambda-layer" / "python" / "library.py").write_text("")
    return folder


def job_code(source: Path) -> tuple[JobCode, Path]:
    app = cdk.App()
    code = JobCode(cdk.Stack(app, "S"), "Code", model=MODEL, source=source, wheels=source / "build" / "wheels")
    return code, Path(app.outdir) / f"asset.{code.code.asset_hash}"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_jobs_get_every_script_their_templates_lock_and_model_but_no_handler_and_no_cache(source: Path) -> None:
    (source / "pipeline_scripts" / "training" / "page.html").write_text("<p>")
    _, folder = job_code(source)
    assert files(folder) == {
        f"pipeline_scripts/{name}"
        for name in (
            "__init__.py",
            "model.py",
            "model.json",
            "requirements.lock",
            "training/__init__.py",
            "training/train.py",
            "training/page.html",
        )
    }


def test_the_model_keeps_the_order_of_its_columns_and_facets(source: Path) -> None:
    _, folder = job_code(source)
    shipped = json.loads((folder / "pipeline_scripts" / "model.json").read_text())
    assert shipped == MODEL.model_dump(mode="json")
    assert list(shipped["columns"]) == list(MODEL.columns)
    assert list(shipped["facets"]) == list(MODEL.facets)


def test_the_name_in_the_container_is_the_hash(source: Path) -> None:
    code, _ = job_code(source)
    assert code.code_file == f"{code.code.asset_hash}.zip"


def test_the_hash_depends_on_contents_and_not_on_where_and_when(source: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(source, elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
    assert job_code(source)[0].code_file == job_code(elsewhere)[0].code_file


def test_the_hash_changes_with_a_script_and_not_with_a_handler(source: Path) -> None:
    before = job_code(source)[0].code_file
    (source / "pipeline_scripts" / "functions" / "start.py").write_text("# another\n")
    assert job_code(source)[0].code_file == before
    (source / "pipeline_scripts" / "training" / "train.py").write_text("# another\n")
    assert job_code(source)[0].code_file != before


def test_fails_when_a_wheel_is_missing(source: Path) -> None:
    (source / "build" / "wheels" / WHEEL).unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no wheel of tool 1\.0; run `make install`"):
        job_code(source)


def test_wheels_of_an_older_lock_do_not_ship(source: Path) -> None:
    (source / "build" / "wheels" / "tool-0.9-py3-none-any.whl").write_bytes(b"old")
    code, folder = job_code(source)
    assert files(folder.parent / f"asset.{code.wheels.asset_hash}") == {WHEEL}


def test_the_locked_wheels_of_the_project_are_there() -> None:
    code, folder = job_code(ROOT)
    shipped = {name.split("-")[0] for name in files(folder.parent / f"asset.{code.wheels.asset_hash}")}
    assert shipped == {"dill", "duckdb", "jinja2", "markupsafe", "pyfunctional", "smclarify", "tabulate"}


def handlers(source: Path, names: list[str]) -> tuple[Stack, Path]:
    app = cdk.App()
    stack = cdk.Stack(app, "S")
    layer = HandlerLayer(source=source, folder=source / "build" / "lambda-layer")
    for name in names:
        HandlerFunction(
            stack,
            name.capitalize(),
            handler=name,
            source=source,
            layer=layer,
            key=kms.Key.from_key_arn(stack, f"Key{name}", "arn:aws:kms:eu-west-1:111122223333:key/operations"),
            log_retention=logs.RetentionDays.ONE_MONTH,
            alarm_topic=sns.Topic.from_topic_arn(stack, f"T{name}", "arn:aws:sns:eu-west-1:111122223333:people"),
            description="Starts something",
            environment={"TABLE": "t"},
        )
    assembly = app.synth()
    return Stack(assembly.get_stack_by_name("S").template), Path(assembly.directory)


def test_a_handler_ships_with_handlers_alone(source: Path) -> None:
    stack, folder = handlers(source, ["start"])
    key = stack.only("AWS::Lambda::Function")["Code"]["S3Key"]
    assert files(folder / f"asset.{key.removesuffix('.zip')}") == {
        "pipeline_scripts/__init__.py",
        "pipeline_scripts/functions/__init__.py",
        "pipeline_scripts/functions/start.py",
    }


def test_handlers_import_nothing_of_ours_that_does_not_ship_with_them() -> None:
    """On this machine all of it can be found, so every other test would pass."""
    for handler in sorted((ROOT / "pipeline_scripts" / "functions").glob("*.py")):
        for node in ast.walk(ast.parse(handler.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            ours = [name for name in names if name.startswith("pipeline_scripts.")]
            assert all(name.startswith("pipeline_scripts.functions.") for name in ours), f"{handler.name}: {ours}"


def test_a_handler_has_an_encrypted_environment_log_group_and_dead_letter_queue(source: Path) -> None:
    stack, _ = handlers(source, ["start"])
    key = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    function = stack.only("AWS::Lambda::Function")
    assert function["KmsKeyArn"] == key
    assert function["Runtime"] == "python3.14"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "pipeline_scripts.functions.start.handler"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["Environment"]["Variables"] == {"POWERTOOLS_SERVICE_NAME": "start", "TABLE": "t"}
    assert stack.only("AWS::Logs::LogGroup") == {"KmsKeyId": key, "RetentionInDays": 30}
    assert stack.only("AWS::SQS::Queue")["KmsMasterKeyId"] == key
    assert "DeadLetters" in json.dumps(function["DeadLetterConfig"])


def test_a_lost_event_raises_an_alarm_with_a_runbook(source: Path) -> None:
    stack, _ = handlers(source, ["start"])
    alarm = stack.only("AWS::CloudWatch::Alarm")
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Threshold"] == 1
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmDescription"].endswith("Runbook: docs/runbook.md#dead-letters")
    assert alarm["AlarmActions"] == ["arn:aws:sns:eu-west-1:111122223333:people"]


def test_handlers_of_a_stack_share_one_layer(source: Path) -> None:
    (source / "pipeline_scripts" / "functions" / "stop.py").write_text("")
    stack, _ = handlers(source, ["start", "stop"])
    assert len(stack.of_type("AWS::Lambda::LayerVersion")) == 1


def test_fails_when_there_is_no_such_handler(source: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such handler; write it, or mend the name 'absent'"):
        handlers(source, ["absent"])


def test_fails_when_the_layer_is_not_installed(source: Path) -> None:
    shutil.rmtree(source / "build" / "lambda-layer")
    with pytest.raises(FileNotFoundError, match="the handlers' libraries are missing; run `make install`"):
        handlers(source, ["start"])
