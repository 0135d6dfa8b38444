"""What must hold for every template of every environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

ROOT = Path(__file__).parent.parent

# AWS wants these named by us, or callers must know them; everything else CloudFormation names.
NAMED_FOR_A_REASON = {
    "AWS::Athena::WorkGroup": "Name is required",
    "AWS::CloudWatch::Dashboard": "people look for it by name",
    "AWS::Glue::DataQualityRuleset": "Name is required",
    "AWS::Glue::SecurityConfiguration": "Name is required",
    "AWS::Glue::Database": "part of every query",
    "AWS::Glue::Table": "part of every query",
    "AWS::IAM::Policy": "the name is required; the CDK derives it from the construct's path",
    "AWS::KMS::Alias": "an alias is a name",
    "AWS::SageMaker::Domain": "the name is required",
    "AWS::SageMaker::Endpoint": "callers know it, and its alarms must exist before it does",
    "AWS::SageMaker::FeatureGroup": "the name is required; what would replace it is refused before synthesis",
    "AWS::SageMaker::ModelPackageGroup": "the name is required",
    "AWS::SageMaker::MonitoringSchedule": "the name is required",
    "AWS::SageMaker::Pipeline": "the name is required",
    "AWS::SageMaker::UserProfile": "the name is required",
}
STATEFUL = {
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::DynamoDB::Table",
    "AWS::SageMaker::FeatureGroup",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::SecretsManager::Secret",
}


def resources(assembly: Any) -> list[tuple[str, str, str, dict[str, Any]]]:
    return [
        (environment, stack, logical_id, resource)
        for environment, stack, template in assembly.each()
        for logical_id, resource in template["Resources"].items()
    ]


# SageMaker writes there and nowhere else, and would make the group itself, unencrypted and for ever.
LOGS_OF_ENDPOINTS = "/aws/sagemaker/Endpoints/"


def is_named_in_vain(resource: dict[str, Any]) -> bool:
    if name_property(resource) is None or resource["Type"] in NAMED_FOR_A_REASON:
        return False
    return not str(resource["Properties"].get("LogGroupName", "")).startswith(LOGS_OF_ENDPOINTS)


def name_property(resource: dict[str, Any]) -> str | None:
    kind = resource["Type"].rsplit("::", 1)[1]
    return next((key for key in resource.get("Properties", {}) if key in ("Name", f"{kind}Name", "AliasName")), None)


def test_only_what_must_be_named_is_named(assembly: Any) -> None:
    strays = {(r["Type"], name_property(r)) for *_, r in resources(assembly) if is_named_in_vain(r)}
    assert strays == set()


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_what_holds_data_survives_its_stack(assembly: Any, environment: str) -> None:
    lost = [
        (s, i)
        for e, s, i, r in resources(assembly)
        if e == environment and r["Type"] in STATEFUL and r.get("DeletionPolicy") != "Retain"
    ]
    assert lost == []


def test_dev_leaves_nothing_behind(assembly: Any) -> None:
    kept = [
        (s, i) for e, s, i, r in resources(assembly) if e == "dev" and r.get("DeletionPolicy", "").startswith("Retain")
    ]
    assert kept == []


def test_every_resource_that_takes_tags_says_which_environment_it_is_of(assembly: Any) -> None:
    untagged = [
        (stack, logical_id)
        for environment, stack, logical_id, resource in resources(assembly)
        if resource["Type"] == "AWS::S3::Bucket"
        and {"Key": "baton:environment", "Value": environment} not in resource["Properties"].get("Tags", [])
    ]
    assert untagged == []


def deployed_files(folder: Path) -> dict[str, bytes]:
    """All that a synthesis writes and a deployment reads.

    Metadata and report name folders: the CDK's temporary one, and this one. `.cache` holds what the CDK's CLI zipped
    while it deployed this very assembly, which other tests of the session do.
    """
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    told = (".metadata.json", "validation-report.json")
    return {
        name: path.read_bytes()
        for name, path in files.items()
        if not name.endswith(told) and ".cache" not in Path(name).parts
    }


def test_two_syntheses_are_byte_equal(assembly: Any, tmp_path: Path) -> None:
    environment = {**os.environ, "CDK_OUTDIR": str(tmp_path), "CDK_VALIDATION": "false", "PYTHONHASHSEED": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, check=True, capture_output=True, env=environment)
    first, second = deployed_files(assembly.folder), deployed_files(tmp_path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def cfn_lint(*templates: str) -> list[dict[str, Any]]:
    command = [
        str(Path(sys.executable).parent / "cfn-lint"),
        "--format",
        "json",
        "--non-zero-exit-code",
        "none",
        "--",
        *templates,
    ]
    return list(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def test_cfn_lint_finds_no_error(assembly: Any) -> None:
    findings = cfn_lint(*(str(path) for path in sorted(assembly.folder.rglob("*.template.json"))))
    assert [f"{f['Filename']}: {f['Rule']['Id']} {f['Message']}" for f in findings if f["Level"] == "Error"] == []


def test_cfn_lint_would_find_one(tmp_path: Path) -> None:
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Colour": "red"}}}}
    (tmp_path / "bad.template.json").write_text(json.dumps(template))
    assert "Error" in {finding["Level"] for finding in cfn_lint(str(tmp_path / "bad.template.json"))}


@pytest.mark.parametrize("pack", [AwsSolutionsChecks, NIST80053R5Checks])
def test_nag_would_refuse_a_bare_bucket(pack: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")
    app = cdk.App()
    s3.Bucket(cdk.Stack(app, "Bare"), "Bucket")
    cdk.Validations.of(app).add_plugins(pack(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def test_every_acknowledgement_gives_a_reason(assembly: Any) -> None:
    """The synthesis itself fails on an unacknowledged finding; an empty reason would pass it, so it is read here."""
    reasons = [
        (path.name, suppression["id"], suppression["reason"])
        for path in assembly.folder.rglob("*.template.json")
        for resource in json.loads(path.read_text())["Resources"].values()
        for suppression in resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", [])
    ]
    assert [reason for reason in reasons if len(reason[2]) < 20] == []
