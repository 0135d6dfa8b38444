"""The training stack of both backends: least privilege, everything encrypted, nobody who trains can approve."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from baton.specification.model import ModelSpecification
from stacks.acknowledgements import acknowledge
from stacks.data_lake_stack import DataLakeStack
from stacks.settings import load_environment
from stacks.training_stack import TrainingStack
from tests.infrastructure.api_arguments import argument_errors, is_expression
from tests.infrastructure.pipeline_samples import ROOT, sample_model, steps_by_name

BACKENDS = ("open", "managed")
Template = dict[str, Any]


def synthesise(
    backend: str, outdir: Path, *, checked: bool = False, model: ModelSpecification | None = None
) -> Template:
    model = model or sample_model()
    environment = load_environment("dev", ROOT / "config" / "environments")
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context=flags, outdir=str(outdir))
    stage = cdk.Stage(app, "dev", env=cdk.Environment(region=environment.region))
    lake = DataLakeStack(
        stage,
        "DataLake",
        stack_name="baton-dev-data-lake",
        environment=environment,
        models=[model],
        source=ROOT,
        commit="0123abc",
        author="ada@bank.example",
    )
    TrainingStack(
        stage,
        "Training",
        stack_name="baton-dev-bank-churn-training",
        platform=replace(lake.platform, analysis_backend=backend),
        model=model,
    )
    acknowledge(stage)
    if checked:
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
    app.synth()
    (file,) = (outdir / "assembly-dev").glob("*Training*.template.json")
    template: Template = json.loads(file.read_text())
    return template


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("training")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=BACKENDS)
def template(request: pytest.FixtureRequest, outdir: Path) -> Template:
    """Checked by cdk-nag: an unacknowledged finding makes the synthesis itself fail."""
    return synthesise(request.param, outdir / request.param, checked=True)


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [body["Properties"] for body in template["Resources"].values() if body["Type"] == kind]


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    """Of the role whose logical id contains `role`, with actions and resources as lists."""
    policies = [body for body in of_type(template, "AWS::IAM::Policy") if role in json.dumps(body["Roles"])]
    assert len(policies) == 1, f"{len(policies)} policies for {role}"
    found = []
    for statement in policies[0]["PolicyDocument"]["Statement"]:
        lists = {key: value if isinstance(value, list) else [value] for key, value in statement.items()}
        found.append({**statement, "Action": lists["Action"], "Resource": lists["Resource"]})
    return found


def definition(template: Template) -> dict[str, Any]:
    """The deployed definition, its tokens replaced by something of the right shape."""
    (pipeline,) = of_type(template, "AWS::SageMaker::Pipeline")
    (joined,) = [pipeline["PipelineDefinition"]["PipelineDefinitionBody"]["Fn::Join"]]
    parts = [part if isinstance(part, str) else _plain(part) for part in joined[1]]
    body: dict[str, Any] = json.loads(joined[0].join(parts))
    return body


def _plain(token: dict[str, Any]) -> str:
    written = json.dumps(token)
    if "Fn::Sub" in token:
        return str(token["Fn::Sub"]).replace("${AWS::AccountId}", "000000000000")
    if "Role" in written:
        return "arn:aws:iam::000000000000:role/job-role"
    if "Keys" in written:
        return "arn:aws:kms:eu-west-1:000000000000:key/1"
    return "subnet-aaaaaaaa" if "Subnet" in written else "sg-aaaaaaaa" if "GroupId" in written else "a-bucket"


def test_the_deployed_definition_has_no_wrong_argument(template: Template) -> None:
    steps = steps_by_name(definition(template))

    assert [error for step in steps.values() for error in argument_errors(step)] == []
    assert len(steps) in (14, 16)


def test_the_definition_stays_under_the_inline_limit(template: Template) -> None:
    (pipeline,) = of_type(template, "AWS::SageMaker::Pipeline")
    assert len(json.dumps(pipeline["PipelineDefinition"])) < 100_000


def test_every_job_is_encrypted_private_and_bounded(template: Template) -> None:
    for step in steps_by_name(definition(template)).values():
        arguments = step["Arguments"]
        if step["Type"] in ("Condition", "Fail", "Lambda", "RegisterModel", "Model"):
            continue
        cluster = arguments.get("ResourceConfig") or arguments["ProcessingResources"]["ClusterConfig"]
        network = arguments.get("NetworkConfig", arguments)
        outputs = arguments.get("OutputDataConfig") or arguments["ProcessingOutputConfig"]
        assert cluster["VolumeKmsKeyId"] and outputs["KmsKeyId"]
        assert network["VpcConfig"]["Subnets"] and network["EnableInterContainerTrafficEncryption"]
        assert 0 < arguments["StoppingCondition"]["MaxRuntimeInSeconds"] <= 5 * 24 * 3600


def test_scripts_run_as_another_role_than_the_pipeline(template: Template) -> None:
    (pipeline,) = of_type(template, "AWS::SageMaker::Pipeline")
    body = json.dumps(pipeline["PipelineDefinition"])

    assert "PipelineRole" in json.dumps(pipeline["RoleArn"])
    assert "JobRole" in body and "PipelineRole" not in body


@pytest.mark.parametrize("role", ["PipelineJobRole", "PipelinePipelineRole"])
def test_who_trains_cannot_approve(template: Template, role: str) -> None:
    allowed = [s for s in statements(template, role) if s["Effect"] == "Allow"]
    denied = [s for s in statements(template, role) if s["Effect"] == "Deny"]

    for action in (
        "sagemaker:UpdateModelPackage",
        "sagemaker:DeleteModelPackage",
        "sagemaker:PutModelPackageGroupPolicy",
    ):
        assert not any(fnmatchcase(action, pattern) for s in allowed for pattern in s["Action"])
        assert any(action in s["Action"] and s["Resource"] == ["*"] and "Condition" not in s for s in denied)
    created = [s for s in allowed if "sagemaker:CreateModelPackage" in s["Action"]]
    assert len(created) == (role == "PipelinePipelineRole")
    assert all(
        s["Condition"] == {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}} for s in created
    )


def test_only_the_job_role_is_handed_on_and_only_to_sagemaker(template: Template) -> None:
    passes = [s for s in statements(template, "PipelinePipelineRole") if "iam:PassRole" in s["Action"]]

    assert [list(s["Resource"][0]) for s in passes] == [["Fn::GetAtt"]]
    assert "JobRole" in json.dumps(passes[0]["Resource"])
    assert passes[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    for role in ("PipelineJobRole", "StarterFunction"):
        assert not any("PassRole" in action for s in statements(template, role) for action in s["Action"])


def test_the_pipeline_role_creates_nothing_but_its_own(template: Template) -> None:
    creating = [
        statement
        for statement in statements(template, "PipelinePipelineRole")
        if statement["Effect"] == "Allow" and any("sagemaker:Create" in action for action in statement["Action"])
    ]

    assert len(creating) == (4 if "Model" in steps_by_name(definition(template)) else 3)
    for resource in (json.dumps(resource) for statement in creating for resource in statement["Resource"]):
        assert ":pipelines-*" in resource or "/pipelines-*" in resource or "baton-dev-bank-churn" in resource


def test_scripts_write_only_under_their_model_and_never_to_curated(template: Template) -> None:
    writes = [s for s in statements(template, "PipelineJobRole") if "s3:PutObject" in s["Action"]]

    (statement,) = writes
    assert len(statement["Resource"]) == 3
    assert all(json.dumps(resource).endswith('"/bank_churn/*"]]}') for resource in statement["Resource"])
    assert "Curated" not in json.dumps(statement) and "Vault" not in json.dumps(statements(template, "PipelineJobRole"))


def test_only_clarify_may_start_endpoints_and_only_shadows(template: Template) -> None:
    """The endpoint that serves has another name."""
    endpoints = [s for s in statements(template, "PipelineJobRole") if "sagemaker:CreateEndpoint" in s["Action"]]

    assert len(endpoints) == ("Model" in steps_by_name(definition(template)))
    assert all("sm-clarify-*" in json.dumps(resource) for s in endpoints for resource in s["Resource"])


def test_a_failed_execution_is_told_and_the_message_cannot_get_lost(template: Template) -> None:
    (rule,) = of_type(template, "AWS::Events::Rule")

    assert rule["EventPattern"]["detail"]["currentPipelineExecutionStatus"] == ["Failed"]
    assert "Notifications" in json.dumps(rule["Targets"][0]["Arn"])
    assert rule["Targets"][0]["DeadLetterConfig"]["Arn"]


def test_starts_are_remembered_and_encrypted(template: Template) -> None:
    (table,) = of_type(template, "AWS::DynamoDB::Table")

    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["model", "entry"]


def test_the_function_knows_the_models_brake(template: Template) -> None:
    functions = {function["Handler"]: function for function in of_type(template, "AWS::Lambda::Function")}
    variables = functions["pipeline_scripts.functions.start_training.handler"]["Environment"]["Variables"]

    assert variables["PIPELINE_NAME"] == "baton-dev-bank-churn"
    assert (variables["COOLDOWN_HOURS"], variables["MAX_PER_WEEK"]) == ("24", "3")


def test_outputs_tell_what_others_need(template: Template) -> None:
    assert set(template["Outputs"]) == {
        "PipelineName",
        "PipelineArn",
        "ModelPackageGroupName",
        "ReproduceFunctionName",
        "StartTrainingFunctionName",
    } | {name for name in template["Outputs"] if name.startswith("Export")}


def test_literals_hold_no_token_that_was_not_resolved(template: Template) -> None:
    assert "${Token" not in json.dumps(template)
    assert is_expression(definition(template)["Steps"][0]["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"])


def test_the_key_signs_for_the_signer_alone_whatever_others_are_allowed(template: Template) -> None:
    (key,) = of_type(template, "AWS::KMS::Key")
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    (denied,) = [statement for statement in key["KeyPolicy"]["Statement"] if statement["Effect"] == "Deny"]
    assert denied["Action"] == "kms:Sign" and denied["Principal"] == {"AWS": "*"}
    (signer,) = denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]["Fn::GetAtt"][:1]
    assert template["Resources"][signer]["Type"] == "AWS::IAM::Role" and "Signer" in signer


def test_the_signer_writes_signatures_and_nothing_else(template: Template) -> None:
    writes = [entry for entry in statements(template, "SignerHandlerRole") if "s3:PutObject" in entry["Action"]]
    assert [json.dumps(entry["Resource"]).count("/evidence/signature.json") for entry in writes] == [1]
    signs = [entry for entry in statements(template, "SignerHandlerRole") if "kms:Sign" in entry["Action"]]
    assert len(signs) == 1 and "SignerKey" in json.dumps(signs[0]["Resource"])


def test_the_champion_is_looked_up_by_who_may_read_the_registry_and_nothing_else(template: Template) -> None:
    allowed = [entry for entry in statements(template, "ChampionFinderHandlerRole") if entry["Effect"] == "Allow"]
    registry = [entry for entry in allowed if "sagemaker:" in json.dumps(entry["Action"])]
    assert {action for entry in registry for action in entry["Action"]} == {
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:ListModelPackages",
    }
    others = {action for entry in allowed if entry not in registry for action in entry["Action"]}
    services = ("logs:", "xray:", "kms:", "ec2:", "sqs:SendMessage")  # what every function of the platform may
    assert not [action for action in others if not action.startswith(services)]


def test_the_pipeline_calls_its_champion_finder_and_signer_and_no_other_function(template: Template) -> None:
    calls = [entry for entry in statements(template, "PipelineRole") if "lambda:InvokeFunction" in entry["Action"]]
    assert len(calls) == 1 and len(calls[0]["Resource"]) == 2
    finder, signer = map(json.dumps, calls[0]["Resource"])
    assert "ChampionFinderHandler" in finder and "SignerHandler" in signer
    allowed = [entry for entry in statements(template, "JobRole") if entry["Effect"] == "Allow"]
    assert not [entry for entry in allowed if "lambda:" in json.dumps(entry["Action"])]
