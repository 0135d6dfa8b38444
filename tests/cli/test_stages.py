"""The officer's desk where an environment serves versions that another trains."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from canned import ARN, CannedConnection, World

from stacks.taken_registry import TakenRegistry

Life = dict[str, str]


def spoken(result: Any) -> str:
    return " ".join(result.stderr.split())


@pytest.fixture
def lives(world: World) -> dict[int, Life]:
    """prod takes from staging: what was decided for a stage, by version; 1 and 2 are approved in staging, 3 is not."""
    taken = {name.replace("-dev-", "-prod-"): outputs for name, outputs in world.outputs.items()}
    del taken["baton-prod-bank-churn-training"]
    group = f"{ARN}:model-package-group/bank-churn"
    taken["baton-prod-bank-churn-approval"] |= {"VersionsGroup": group, "Stages": "prod", "TrainedIn": "staging"}
    world.outputs |= taken
    world.statuses |= {2: "Approved", 3: "PendingManualApproval"}
    world.objects |= {uri.replace("/e2/", "/e3/"): content for uri, content in world.objects.items() if "/e2/" in uri}
    found: dict[int, Life] = {}
    describe = world.answers["sagemaker.DescribeModelPackage"]

    def with_life(asked: dict[str, Any]) -> dict[str, Any]:
        package = describe(asked)
        life = found.get(package["ModelPackageVersion"])
        return {**package, **({"ModelLifeCycle": life} if life else {})}

    def update(asked: dict[str, Any]) -> dict[str, Any]:
        assert "ModelApprovalStatus" not in asked, "that is the word of the environment that trains"
        found[int(asked["ModelPackageArn"].rsplit("/", 1)[-1])] = asked["ModelLifeCycle"]
        return {}

    world.answers |= {"sagemaker.DescribeModelPackage": with_life, "sagemaker.UpdateModelPackage": update}
    return found


@pytest.mark.parametrize("where", [("--stage", "prod"), ("--env", "prod")])
def test_an_approval_for_a_stage_is_given_by_its_own_officer(
    where: tuple[str, str], baton: Any, lives: dict[int, Life], connection: CannedConnection
) -> None:
    result = baton("approve", "2", "--comment", "a month in staging", *where)
    assert result.exit_code == 0, result.output
    assert "version 2 of bank_churn is now Approved for prod (it was PendingManualApproval)" in result.output
    assert lives[2] == {"Stage": "prod", "StageStatus": "Approved", "StageDescription": "a month in staging"}
    asked_group = [told for _, name, told in connection.calls if name == "sagemaker.ListModelPackages"]
    assert {told["ModelPackageGroupName"] for told in asked_group} == {f"{ARN}:model-package-group/bank-churn"}


def test_a_rejection_for_a_stage(baton: Any, lives: dict[int, Life]) -> None:
    lives[1] = {"Stage": "prod", "StageStatus": "Approved"}
    output = baton("reject", "1", "--comment", "drifts", "--stage", "prod").output
    assert "is now Rejected for prod (it was Approved)" in output
    assert lives[1]["StageStatus"] == "Rejected"


def test_what_is_not_approved_where_it_was_trained_waits_for_that(baton: Any, lives: dict[int, Life]) -> None:
    said = spoken(baton("approve", "3", "--comment", "now", "--stage", "prod"))
    assert said == ("baton: version 3 is PendingManualApproval in staging; it must be approved there before prod can")
    assert lives == {}


def test_a_version_that_has_gone_on_is_not_taken_back(baton: Any, lives: dict[int, Life], world: World) -> None:
    world.outputs["baton-prod-bank-churn-approval"]["Stages"] = "prod,later"
    lives[1] = {"Stage": "later", "StageStatus": "Approved"}
    assert "version 1 has gone on to later" in spoken(baton("approve", "1", "--comment", "again", "--stage", "prod"))


def test_a_stage_of_an_environment_with_its_own_registry_is_refused(baton: Any) -> None:
    said = spoken(baton("approve", "2", "--comment", "sound", "--stage", "dev"))
    assert said == "baton: dev takes no versions from another environment; decide there: --env dev"


def test_status_shows_the_stages_and_what_waits(baton: Any, lives: dict[int, Life]) -> None:
    lives[1] = {"Stage": "prod", "StageStatus": "Approved"}
    output = baton("status", "--env", "prod").output
    assert "prod Approved" in output
    assert "version 2 waits" in output
    assert "version 1 waits" not in output
    facts = json.loads(baton("status", "--env", "prod", "--json").stdout)
    assert facts["last_training"] is None
    decided = {entry["version"]["number"]: entry["decided"] for entry in facts["versions"]}
    assert decided == {1: "Approved", 2: "PendingManualApproval", 3: "PendingManualApproval"}


def test_training_is_asked_for_where_it_is_done(baton: Any, lives: dict[int, Life]) -> None:
    assert spoken(baton("train", "--env", "prod")) == (
        "baton: prod serves what staging trains; ask there: --env staging"
    )


def test_the_registry_is_printed_as_the_file_of_another_environment_wants_it(baton: Any, world: World) -> None:
    world.outputs["baton-dev-data-lake"] |= {"ModelsBucketName": "models-1", "EvidenceBucketName": "evidence-1"}
    keys = {"data-lake": ["KeysDataA1", "KeysModelsB2"], "bank-churn-training": ["PipelineSignerKeyC3"]}

    def listed(asked: dict[str, Any]) -> dict[str, Any]:
        logical_ids = keys[asked["StackName"].removeprefix("baton-dev-")]
        kind = {"ResourceType": "AWS::KMS::Key"}
        return {
            "StackResourceSummaries": [
                {**kind, "LogicalResourceId": logical_id, "PhysicalResourceId": logical_id.lower()}
                for logical_id in logical_ids
            ]
        }

    world.answers["cloudformation.ListStackResources"] = listed
    result = baton("registry", "--env", "dev")
    assert result.exit_code == 0, result.output
    printed = yaml.safe_load(result.stdout)["registry"]
    taken = TakenRegistry.model_validate(printed)
    assert (taken.owner, taken.models_bucket, taken.evidence_bucket) == ("dev", "models-1", "evidence-1")
    key = "arn:aws:kms:eu-west-1:000000000000:key/"
    assert taken.models_key == f"{key}keysmodelsb2"
    assert taken.signing_keys == {"bank_churn": f"{key}pipelinesignerkeyc3"}


def test_the_document_shows_what_the_command_prints() -> None:
    document = (Path(__file__).parent.parent.parent / "docs" / "environments.md").read_text(encoding="utf-8")
    [block] = [part for part in document.split("```yaml\n")[1:] if "signing_keys" in part]
    TakenRegistry.model_validate(yaml.safe_load(block.split("```")[0])["registry"])
