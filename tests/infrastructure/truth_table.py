"""Every role of the templates against every way to a served version, and what a reviewer expects of each.

What is allowed stands in truth_table.yaml, by role; each cell that is not listed there must be denied.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tests.infrastructure.template_roles import ACCOUNT, REGION, Request, Role, Templates, allowed

EXPECTED = Path(__file__).with_suffix(".yaml")
OFFICER = "governance/TeamComplianceOfficer"
GROUP = "baton-dev-bank-churn"
STATUS, STAGE = "sagemaker:ModelApprovalStatus", "sagemaker:ModelLifeCycle:Stage"
# CloudFormation and the reconcile workflow act as these once the officer has decided; no author's code runs as them.
DEPLOYERS = (
    "bank-churn-approval/ServingExecutionRole",
    "bank-churn-approval/StepsRecoverRole",
    "bank-churn-approval/StepsUpdateRole",
    "bank-churn-approval/WorkflowRole",
)


def _arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


VERSION = _arn("sagemaker", f"model-package/{GROUP}/1")
FOREIGN_VERSION = _arn("sagemaker", "model-package/somebody-elses/1")
PACKAGE_GROUP = _arn("sagemaker", f"model-package-group/{GROUP}")
ENDPOINT = _arn("sagemaker", f"endpoint/{GROUP}")


def probes(roles: Mapping[str, Role], templates: Templates) -> dict[str, Request]:
    """What is asked of each role, by a name that says what it would achieve."""
    officer, deployer = roles[OFFICER].arn, roles["bank-churn-approval/ServingExecutionRole"].arn
    endpoint_role = roles["bank-churn-serving/ModelRole"].arn
    found = {
        "approve a version": Request("sagemaker:UpdateModelPackage", VERSION, {STATUS: "Approved"}),
        "approve a version and rewrite its hash": Request(
            "sagemaker:UpdateModelPackage",
            VERSION,
            {STATUS: "Approved", "sagemaker:CustomerMetadataProperties/artifact_sha256": "another"},
        ),
        "reject a version": Request("sagemaker:UpdateModelPackage", VERSION, {STATUS: "Rejected"}),
        "set a version back to pending": Request(
            "sagemaker:UpdateModelPackage", VERSION, {STATUS: "PendingManualApproval"}
        ),
        "approve a version of another group": Request(
            "sagemaker:UpdateModelPackage", FOREIGN_VERSION, {STATUS: "Approved"}
        ),
        "change a version without a verdict": Request("sagemaker:UpdateModelPackage", VERSION),
        "move a version to a stage": Request("sagemaker:UpdateModelPackage", VERSION, {STAGE: "Production"}),
        "register as pending": Request("sagemaker:CreateModelPackage", VERSION, {STATUS: "PendingManualApproval"}),
        "register as approved": Request("sagemaker:CreateModelPackage", VERSION, {STATUS: "Approved"}),
        "register without a status": Request("sagemaker:CreateModelPackage", VERSION),
        "register as pending in a stage": Request(
            "sagemaker:CreateModelPackage", VERSION, {STATUS: "PendingManualApproval", STAGE: "Production"}
        ),
        "register in another group": Request(
            "sagemaker:CreateModelPackage", FOREIGN_VERSION, {STATUS: "PendingManualApproval"}
        ),
        "record an approval in lineage": Request(
            "sagemaker:CreateAction", _arn("sagemaker", f"action/{GROUP}-approval-0")
        ),
        "become the officer": Request("sts:AssumeRole", officer),
        "become the officer under a tag of one's own": Request("sts:TagSession", officer),
        "deploy through the bootstrap": Request(
            "sts:AssumeRole", _role(f"cdk-hnb659fds-deploy-role-{ACCOUNT}-{REGION}")
        ),
    }
    domain = templates.arn_of("studio", "AWS::SageMaker::Domain").rpartition(":")[2]
    found["open the officer's notebooks"] = Request(
        "sagemaker:CreatePresignedDomainUrl", _arn("sagemaker", f"user-profile/{domain}/compliance-officer")
    )
    targets = {"the officer": officer, "the deployer": deployer, "the endpoint's role": endpoint_role}
    services = ("sagemaker", "cloudformation", "lambda", "states", "glue")
    for who, target in targets.items():
        for service in services:
            found[f"pass {who} to {service}"] = Request(
                "iam:PassRole", target, {"iam:PassedToService": f"{service}.amazonaws.com"}
            )
    serving = _arn("cloudformation", "stack/baton-dev-bank-churn-serving/1")
    others = _role(f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}")
    for who, passed in {"the deployer": deployer, "the bootstrap's role": others}.items():
        for what, call in {"update": "UpdateStack", "roll back": "ContinueUpdateRollback"}.items():
            found[f"{what} the serving stack as {who}"] = Request(
                f"cloudformation:{call}", serving, {"cloudformation:RoleArn": passed}
            )
    found["pin a version"] = Request(
        "lambda:InvokeFunction", templates.arn_of("bank-churn-approval", "AWS::Lambda::Function", "PinningPin")
    )
    return found | _elsewhere(officer, templates)


def _elsewhere(officer: str, templates: Templates) -> dict[str, Request]:
    approval, governance = "bank-churn-approval", "governance"
    function = templates.arn_of(approval, "AWS::Lambda::Function", "StepsVerify")
    machine = templates.arn_of(approval, "AWS::StepFunctions::StateMachine")
    boundary = templates.arn_of(governance, "AWS::IAM::ManagedPolicy", "TeamDataScientistBoundary")
    rule, stack = _arn("events", "rule/any"), _arn("cloudformation", "stack/baton-dev-bank-churn-serving/1")
    ledger = templates.arn_of(approval, "AWS::DynamoDB::Table")
    artefact = templates.arn_of("data-lake", "AWS::S3::Bucket", "ZonesModels") + "/bank_churn/any/model.tar.gz"
    calls: dict[str, Sequence[str]] = {
        artefact: ["s3:PutObject", "s3:DeleteObject"],
        ledger: ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
        VERSION: ["sagemaker:DeleteModelPackage", "sagemaker:DescribeModelPackage"],
        PACKAGE_GROUP: [
            "sagemaker:DeleteModelPackageGroup",
            "sagemaker:DeleteModelPackageGroupPolicy",
            "sagemaker:PutModelPackageGroupPolicy",
        ],
        ENDPOINT: [
            *(f"sagemaker:{verb}Endpoint" for verb in ("Create", "Delete", "Update", "Invoke", "Describe")),
            "sagemaker:UpdateEndpointWeightsAndCapacities",
        ],
        _arn("sagemaker", "endpoint-config/any"): ["sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig"],
        _arn("sagemaker", "model/any"): ["sagemaker:CreateModel", "sagemaker:DeleteModel"],
        _arn("sagemaker", "pipeline/any"): ["sagemaker:UpdatePipeline", "sagemaker:DeletePipeline"],
        function: [
            f"lambda:{call}"
            for call in ("AddPermission", "DeleteFunction", "InvokeFunction", "PublishVersion", "UpdateAlias")
        ]
        + ["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"],
        "*": ["lambda:CreateEventSourceMapping"],
        machine: ["states:UpdateStateMachine", "states:DeleteStateMachine", "states:StartExecution"],
        rule: [f"events:{c}" for c in ("PutRule", "PutTargets", "RemoveTargets", "DeleteRule", "DisableRule")],
        stack: [
            f"cloudformation:{call}"
            for call in (
                "ContinueUpdateRollback",
                "CreateStack",
                "UpdateStack",
                "DeleteStack",
                "CreateChangeSet",
                "ExecuteChangeSet",
                "SetStackPolicy",
            )
        ],
        officer: [
            f"iam:{call}"
            for call in (
                "AttachRolePolicy",
                "DeleteRolePermissionsBoundary",
                "PutRolePermissionsBoundary",
                "PutRolePolicy",
                "TagRole",
                "UpdateAssumeRolePolicy",
            )
        ],
        boundary: ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion"],
        f"arn:aws:iam::{ACCOUNT}:user/author": ["iam:CreateAccessKey", "iam:TagUser", "iam:UntagUser"],
    }
    return {action: Request(action, resource) for resource, actions in calls.items() for action in actions}


# None of these ends with a version that serves without a verdict.
HARMLESS = {
    "lambda:InvokeFunction",
    "record an approval in lineage",
    "pin a version",  # among those that have a verdict; the function refuses others
    "open the officer's notebooks",  # a notebook gives no verdict, whosever it is
    "reject a version",
    "register as pending",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeModelPackage",
    "sagemaker:InvokeEndpoint",
    "states:StartExecution",
}
# It asks CloudFormation for a template that the repository's reviewers have seen; docs/roles.md says what remains.
REVIEWED = {"deploy through the bootstrap"}

# Deployed functions of ours write the ledger, which orders and records; a verdict is read from the registry alone.
LEDGER = {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
KEEPERS = ("bank-churn-approval/Pinning", "bank-churn-approval/Steps", "bank-churn-automation/Steps")
# Only SageMaker uses a job's role (scripts run in isolation), and reconcile refuses an artefact of another hash.
# docs/roles.md says what that leaves open.
CAUGHT = {"s3:PutObject"}


def by_name(roles: Sequence[Role], environment: str = "dev") -> dict[str, Role]:
    """The roles by stack and construct, without the hash at the end of a logical id."""
    return {f"{r.stack.removeprefix(f'baton-{environment}-')}/{r.logical_id[:-8]}": r for r in roles}


def evaluate(roles: Mapping[str, Role], templates: Templates) -> dict[str, dict[str, bool]]:
    """Every cell: role, probe, whether it is allowed."""
    asked = probes(roles, templates)
    cells = [(role, probe) for role in roles for probe in asked]
    answers = allowed([(roles[role], asked[probe]) for role, probe in cells])
    table: dict[str, dict[str, bool]] = {role: {} for role in roles}
    for (role, probe), answer in zip(cells, answers, strict=True):
        table[role][probe] = answer
    return table


def expected() -> dict[str, set[str]]:
    """What a reviewer allows, by role."""
    return {role: set(names) for role, names in yaml.safe_load(EXPECTED.read_text(encoding="utf-8")).items()}


def self_approval_paths(table: Mapping[str, Mapping[str, bool]]) -> list[str]:
    """What leads past the officer, of every role but the officer's and those that act on the officer's verdict."""
    return [
        f"{role}: {probe}"
        for role, row in table.items()
        if role != OFFICER and role not in DEPLOYERS
        for probe, may in row.items()
        if may and probe not in HARMLESS | REVIEWED | CAUGHT and not (probe in LEDGER and role.startswith(KEEPERS))
    ]
