"""Who may do what: the personas, their boundaries, and the one that approves."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from baton.registry.approval_rule import deny_approval_statements, deny_serving_statements, group_policy
from tests.infrastructure.platform_assembly import Stack, statements, synthesise, synthesised

PERSONAS = {
    "ComplianceOfficer": "compliance-officer",
    "DataScientist": "data-scientist",
    "DataEngineer": "data-engineer",
    "MlopsEngineer": "mlops-engineer",
}
OTHERS = [name for name in PERSONAS if name != "ComplianceOfficer"]
VERDICT = "sagemaker:UpdateModelPackage"
# What IAM calls otherwise than the API: the action of a policy, and where botocore knows the call.
OTHERWISE = {
    "athena:GetWorkGroup": ("athena", "GetWorkGroup"),
    "lambda:InvokeFunction": ("lambda", "Invoke"),
    "s3:AbortMultipartUpload": ("s3", "AbortMultipartUpload"),
    "s3:GetObjectVersion": ("s3", "GetObject"),
    "s3:ListBucket": ("s3", "ListObjectsV2"),
    "sagemaker:BatchGetRecord": ("sagemaker-featurestore-runtime", "BatchGetRecord"),
    "sagemaker:GetRecord": ("sagemaker-featurestore-runtime", "GetRecord"),
    "sagemaker:InvokeEndpoint": ("sagemaker-runtime", "InvokeEndpoint"),
}
SERVICES = {"states": "stepfunctions"}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return synthesised()["dev"]["Governance"]


def allowed(stack: Stack, persona: str) -> list[dict[str, Any]]:
    policy = stack.only("AWS::IAM::Policy", containing=f"Team{persona}")
    return [s for s in statements(policy["PolicyDocument"]) if s["Effect"] == "Allow"]


def boundary(stack: Stack, persona: str) -> list[dict[str, Any]]:
    return list(
        statements(stack.only("AWS::IAM::ManagedPolicy", containing=f"Team{persona}Boundary")["PolicyDocument"])
    )


def actions(found: list[dict[str, Any]], effect: str = "Allow") -> set[str]:
    return {action for s in found if s["Effect"] == effect for action in s["Action"]}


def places(found: list[dict[str, Any]], *prefixes: str) -> list[str]:
    return [
        json.dumps(resource)
        for s in found
        if any(action.startswith(prefixes) for action in s["Action"])
        for resource in s["Resource"]
    ]


@pytest.mark.parametrize(("persona", "tag"), PERSONAS.items())
def test_a_persona_is_put_on_with_a_second_factor_and_the_right_tag_for_an_hour(
    stack: Stack, persona: str, tag: str
) -> None:
    role = stack.only("AWS::IAM::Role", containing=f"Team{persona}")
    trusted = {action: s["Condition"] for s in statements(role["AssumeRolePolicyDocument"]) for action in s["Action"]}
    names = {"sts:AssumeRole": "sts:RoleSessionName", "sts:SetSourceIdentity": "sts:SourceIdentity"}
    assert trusted == {
        action: {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "StringEquals": {"aws:PrincipalTag/baton-persona": tag, name: "${aws:username}"},
        }
        for action, name in names.items()
    }
    assert role["MaxSessionDuration"] == 3600
    assert {"Key": "baton-persona", "Value": tag} in role["Tags"]
    assert "RoleName" not in role


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_boundary_names_exactly_the_calls_of_the_duties(stack: Stack, persona: str) -> None:
    assert stack.only("AWS::IAM::Role", containing=f"Team{persona}")["PermissionsBoundary"]
    assert actions(boundary(stack, persona)) == actions(allowed(stack, persona))


def test_the_compliance_officer_may_approve_and_reject_and_change_nothing_else_of_a_version(stack: Stack) -> None:
    [decide] = [s for s in allowed(stack, "ComplianceOfficer") if VERDICT in s["Action"]]
    assert decide["Action"] == [VERDICT]
    assert decide["Condition"] == {"StringEquals": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}}
    assert all("model-package/churn/*" in json.dumps(r) for r in decide["Resource"])


def test_the_compliance_officer_trains_registers_deploys_and_writes_nothing(stack: Stack) -> None:
    """Making a version once more registers nothing: it shows whether the evidence can be believed."""
    writes = {
        action
        for action in actions(allowed(stack, "ComplianceOfficer"))
        if not action.split(":")[1].startswith(("Get", "List", "Describe", "Query"))
    }
    assert writes == {VERDICT, "kms:Decrypt", "lambda:InvokeFunction"}
    [called] = places(allowed(stack, "ComplianceOfficer"), "lambda:InvokeFunction")
    assert "Reproduce" in called


@pytest.mark.parametrize("persona", OTHERS)
def test_nobody_else_may_decide_whatever_is_attached_to_them(stack: Stack, persona: str) -> None:
    assert VERDICT not in actions(allowed(stack, persona))
    denied = boundary(stack, persona)
    assert {
        VERDICT,
        "sagemaker:CreateModelPackage",
        "sagemaker:DeleteModelPackage",
        "sagemaker:DeleteModelPackageGroup",
        "sagemaker:DeleteModelPackageGroupPolicy",
        "sagemaker:PutModelPackageGroupPolicy",
        *(action for statement in deny_serving_statements() for action in statement.actions),
    } == actions(denied, "Deny")


def test_the_denial_of_verdicts_has_no_condition_to_slip_through() -> None:
    verdict, born = [statement.to_json() for statement in deny_approval_statements()]
    assert VERDICT in verdict["Action"]
    assert verdict["Resource"] == "*"
    assert "Condition" not in verdict
    # Negated, so that it also holds where the request names no state.
    assert born["Condition"] == {"StringNotEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}


def test_the_groups_policy_binds_every_principal_but_the_officer() -> None:
    document = group_policy(group_arn="arn:group", versions_arn="arn:versions/*").to_json()
    decide, born = statements(document)
    assert (decide["Effect"], decide["Principal"], decide["Action"]) == ("Deny", {"AWS": "*"}, [VERDICT])
    assert decide["Resource"] == ["arn:group", "arn:versions/*"]
    assert decide["Condition"] == {"StringNotEquals": {"aws:PrincipalTag/baton-persona": "compliance-officer"}}
    assert (born["Effect"], born["Action"]) == ("Deny", ["sagemaker:CreateModelPackage"])


@pytest.mark.parametrize("persona", PERSONAS)
def test_no_persona_reads_the_vault_the_raw_zone_or_a_secret(stack: Stack, persona: str) -> None:
    found = allowed(stack, persona)
    assert not any("ZonesRaw" in place for place in places(found, "s3:"))
    assert not any("ZonesVault" in place for place in places(found, "s3:Get", "s3:List", "s3:Delete"))
    assert not any("KeysVault" in place for place in places(found, "kms:Decrypt", "kms:ReEncrypt"))
    assert not any(action.startswith("secretsmanager:") for action in actions(found))


@pytest.mark.parametrize("persona", PERSONAS)
def test_the_data_engineer_alone_lays_requests_of_erasure_into_the_vault_and_does_nothing_else_there(
    stack: Stack, persona: str
) -> None:
    inside = [s for s in allowed(stack, persona) if "Vault" in json.dumps(s["Resource"])]
    if persona != "DataEngineer":
        assert inside == []
        return
    assert actions(inside) == {"s3:PutObject", "kms:GenerateDataKey"}
    assert all("ZonesVault" in p and "/bank_churn/erasures/*" in p for p in places(inside, "s3:"))
    [key] = [s for s in inside if s["Action"] == ["kms:GenerateDataKey"]]
    assert "KeysVault" in json.dumps(key["Resource"])


def test_of_the_evidence_the_data_engineer_reads_reports_of_erasures_alone(stack: Stack) -> None:
    found = allowed(stack, "DataEngineer")
    objects = [place for place in places(found, "s3:GetObject") if "ZonesEvidence" in place]
    assert objects
    assert all("/bank_churn/erasures/*" in place for place in objects)
    [listing] = [s for s in found if s["Action"] == ["s3:ListBucket"] and "ZonesEvidence" in json.dumps(s["Resource"])]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["bank_churn/erasures/*"]}}


@pytest.mark.parametrize("persona", PERSONAS)
def test_no_persona_passes_a_role_or_uses_a_wildcard_action(stack: Stack, persona: str) -> None:
    found = actions(allowed(stack, persona)) | actions(boundary(stack, persona))
    assert not any("*" in action for action in found)
    assert not any(action.startswith("iam:") for action in found)


@pytest.mark.parametrize("persona", PERSONAS)
def test_no_persona_writes_evidence_or_lifts_its_lock(stack: Stack, persona: str) -> None:
    found = allowed(stack, persona)
    written = places(found, "s3:Put", "s3:Abort")
    assert not any("ZonesEvidence" in place for place in written)
    assert all("athena-results/*" in place or "/erasures/*" in place for place in written)
    assert not {"s3:BypassGovernanceRetention", "s3:DeleteObject"} & actions(found)


@pytest.mark.parametrize("persona", PERSONAS)
def test_keys_open_only_through_the_service_that_holds_the_data(stack: Stack, persona: str) -> None:
    for statement in allowed(stack, persona):
        if any(action.startswith("kms:") for action in statement["Action"]):
            via = statement["Condition"]["StringEquals"]["kms:ViaService"]
            assert via in {f"{service}.eu-west-1.amazonaws.com" for service in ("s3", "dynamodb", "sagemaker")}


def test_only_the_mlops_engineer_deploys_and_only_through_the_bootstraps_roles(stack: Stack) -> None:
    for persona in PERSONAS:
        roles = places(allowed(stack, persona), "sts:")
        assert bool(roles) == (persona == "MlopsEngineer")
        assert all(":role/cdk-hnb659fds-" in role for role in roles)


@pytest.mark.parametrize("persona", PERSONAS)
def test_every_action_exists(stack: Stack, persona: str) -> None:
    named = actions(allowed(stack, persona)) | actions(boundary(stack, persona), "Deny")
    assert [action for action in sorted(named) if not exists(action)] == []


def test_the_check_of_actions_finds_one_that_does_not_exist() -> None:
    assert not exists("sagemaker:ApproveModelPackage")


def exists(action: str) -> bool:
    service, call = OTHERWISE.get(action) or tuple(action.split(":"))
    client = boto3.client(
        SERVICES.get(service, service), region_name="eu-west-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    return call in client.meta.service_model.operation_names


def test_the_stack_tells_the_four_roles(stack: Stack) -> None:
    outputs = {name for name in stack.template["Outputs"] if not name.startswith("ExportsOutput")}
    assert outputs == {f"{persona}RoleArn" for persona in PERSONAS}


@pytest.mark.parametrize(
    ("persona", "workflows"), {"DataEngineer": ["Ingestion"], "MlopsEngineer": ["Ingestion", "Reconcile"]}.items()
)
def test_who_runs_a_workflow_reads_its_ledger(stack: Stack, persona: str, workflows: list[str]) -> None:
    started = sorted(places(allowed(stack, persona), "states:StartExecution"))
    assert len(started) == len(workflows)
    assert all(f"Ref{name}" in place for name, place in zip(workflows, started, strict=True))
    ledgers = places(allowed(stack, persona), "dynamodb:Query")
    assert any("IngestionLedger" in place for place in ledgers)


@pytest.mark.parametrize("persona", ["ComplianceOfficer", "DataScientist"])
def test_nobody_else_runs_a_workflow_or_reads_the_ledger_of_ingestions(stack: Stack, persona: str) -> None:
    assert places(allowed(stack, persona), "states:") == []
    assert not any("IngestionLedger" in place for place in places(allowed(stack, persona), "dynamodb:"))


@pytest.mark.parametrize("persona", PERSONAS)
def test_nobody_starts_the_job_beside_its_workflow(stack: Stack, persona: str) -> None:
    assert "glue:StartJobRun" not in actions(allowed(stack, persona))


def findings(outdir: Path) -> set[str]:
    """Where cdk-nag found something, as paths of constructs, outside the stand-ins for later stations."""
    report = json.loads((outdir / "validation-report.json").read_text())
    found = {
        occurrence["constructPath"]
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for occurrence in violation["violatingConstructs"]
    }
    return {path for path in found if not path.startswith("dev/Later/")}


def test_no_finding_of_cdk_nag_is_unanswered(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):  # the stand-ins are no good example
        synthesise(tmp_path, environments=["dev"], validated=True)
    assert findings(tmp_path) == set()


def test_cdk_nag_finds_a_bare_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "true")
    app = cdk.App(outdir=str(tmp_path))
    s3.Bucket(cdk.Stack(app, "Bad"), "Bare")
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert findings(tmp_path) == {"Bad/Bare/Resource"}
