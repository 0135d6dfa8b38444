"""Studio: a closed domain, and notebooks that do what their persona does and never decide or deploy."""

import json
from typing import Any

import pytest

from stacks.settings import ConfigurationError, StudioSettings, load_environment
from tests.infrastructure.platform_assembly import ROOT, Stack, statements

PERSONAS = {
    "compliance-officer": "ComplianceOfficer",
    "data-scientist": "DataScientist",
    "data-engineer": "DataEngineer",
    "mlops-engineer": "MlopsEngineer",
}
FORBIDDEN = {"sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackage", "sagemaker:UpdateEndpoint"}


@pytest.fixture(scope="module")
def studio(assembly: Any) -> Stack:
    return Stack(assembly.stack("dev", "studio"))


@pytest.fixture(scope="module")
def governance(assembly: Any) -> Stack:
    return Stack(assembly.stack("dev", "governance"))


@pytest.fixture(scope="module")
def domain(studio: Stack) -> dict[str, Any]:
    return studio.only("AWS::SageMaker::Domain")


def granted(stack: Stack, containing: str) -> list[dict[str, Any]]:
    policy = stack.only("AWS::IAM::Policy", containing=containing)
    return [s for s in statements(policy["PolicyDocument"]) if s["Effect"] == "Allow"]


def actions(found: list[dict[str, Any]]) -> set[str]:
    return {action for statement in found for action in statement["Action"]}


def about(found: list[dict[str, Any]], action: str) -> dict[str, Any]:
    [statement] = [statement for statement in found if action in statement["Action"]]
    return statement


def test_only_development_has_notebooks(assembly: Any) -> None:
    holders = {environment for environment, name, _ in assembly.each() if name.endswith("-studio")}
    assert holders == {"dev"}


def test_the_domain_lies_in_the_private_network_and_reaches_no_internet(studio: Stack, domain: dict[str, Any]) -> None:
    assert domain["AppNetworkAccessType"] == "VpcOnly"
    assert domain["AuthMode"] == "IAM"
    [group] = domain["DefaultUserSettings"]["SecurityGroups"]
    apps = studio.only("AWS::EC2::SecurityGroup", containing="NetworkApps")
    assert group["Fn::GetAtt"][0] in studio.resources
    assert "SecurityGroupIngress" not in apps
    assert [(rule["FromPort"], rule["ToPort"]) for rule in apps["SecurityGroupEgress"]] == [(443, 443)]


def test_apps_reach_the_platforms_endpoints_and_four_of_their_own(studio: Stack) -> None:
    rules = studio.of_type("AWS::EC2::SecurityGroupIngress").values()
    [admitted] = [rule for rule in rules if "Fn::ImportValue" in rule["GroupId"]]
    assert (admitted["FromPort"], admitted["ToPort"], admitted["IpProtocol"]) == (443, 443, "tcp")
    endpoints = studio.of_type("AWS::EC2::VPCEndpoint").values()
    names = {json.dumps(endpoint["ServiceName"]).rsplit(".", 1)[1].strip('"]}') for endpoint in endpoints}
    assert names == {"studio", "athena", "lambda", "states"}
    assert all(endpoint["PrivateDnsEnabled"] for endpoint in endpoints)


def test_volumes_are_under_a_key_of_studio_and_there_is_no_home_file_system(
    studio: Stack, domain: dict[str, Any]
) -> None:
    key = studio.only("AWS::KMS::Key")
    assert key["EnableKeyRotation"]
    assert domain["KmsKeyId"]["Ref"] in studio.of_type("AWS::KMS::Key")
    assert domain["HomeEfsFileSystemCreation"] == "Disabled"
    settings = domain["DefaultUserSettings"]
    assert settings["AutoMountHomeEFS"] == "Disabled"
    assert settings["SpaceStorageSettings"]["DefaultEbsStorageSettings"] == {
        "DefaultEbsVolumeSizeInGb": 10,
        "MaximumEbsVolumeSizeInGb": 100,
    }


def test_apps_that_nobody_uses_are_shut_down_and_nobody_can_put_it_off(domain: dict[str, Any]) -> None:
    idle = domain["DefaultUserSettings"]["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    assert idle == {
        "LifecycleManagement": "ENABLED",
        "IdleTimeoutInMinutes": 60,
        "MinIdleTimeoutInMinutes": 60,
        "MaxIdleTimeoutInMinutes": 60,
    }


def test_no_output_is_shared_and_no_container_is_run(domain: dict[str, Any]) -> None:
    assert domain["DefaultUserSettings"]["SharingSettings"] == {"NotebookOutputOption": "Disabled"}
    assert domain["DomainSettings"]["DockerSettings"] == {"EnableDockerAccess": "DISABLED"}
    assert "JupyterLab" not in domain["DefaultUserSettings"]["StudioWebPortalSettings"]["HiddenAppTypes"]


def test_the_disposable_environment_keeps_neither_domain_nor_key(studio: Stack) -> None:
    kinds = ("AWS::SageMaker::Domain", "AWS::KMS::Key")
    found = [body for body in studio.resources.values() if body["Type"] in kinds]
    assert [body["DeletionPolicy"] for body in found] == ["Delete"] * len(kinds)


def test_each_persona_has_a_profile_with_a_role_of_its_own(studio: Stack) -> None:
    profiles = studio.of_type("AWS::SageMaker::UserProfile").values()
    roles = {each["UserProfileName"]: each["UserSettings"]["ExecutionRole"]["Fn::GetAtt"][0] for each in profiles}
    assert set(roles) == set(PERSONAS)
    assert all(PERSONAS[name] in role for name, role in roles.items())
    assert len(set(roles.values())) == len(PERSONAS)


def test_a_profile_without_a_role_can_do_nothing(studio: Stack, domain: dict[str, Any]) -> None:
    role = domain["DefaultUserSettings"]["ExecutionRole"]["Fn::GetAtt"][0]
    assert "Nobody" in role
    attached = [policy["Roles"] for policy in studio.of_type("AWS::IAM::Policy").values()]
    assert {"Ref": role} not in [each for roles in attached for each in roles]
    assert not {"Policies", "ManagedPolicyArns"} & studio.of_type("AWS::IAM::Role")[role].keys()


def test_sagemaker_alone_wears_the_roles_for_this_account_and_says_whose_notebook_it_is(
    studio: Stack, domain: dict[str, Any]
) -> None:
    assert domain["DomainSettings"]["ExecutionRoleIdentityConfig"] == "USER_PROFILE_NAME"
    for role in studio.of_type("AWS::IAM::Role").values():
        trusted = list(statements(role["AssumeRolePolicyDocument"]))
        assert {action for s in trusted for action in s["Action"]} == {"sts:AssumeRole", "sts:SetSourceIdentity"}
        for statement in trusted:
            assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("construct", PERSONAS.values())
def test_no_notebook_is_the_officer_gives_a_verdict_or_deploys(studio: Stack, construct: str) -> None:
    role = studio.only("AWS::IAM::Role", containing=f"Studio{construct}")
    assert "baton-persona" not in {tag["Key"] for tag in role.get("Tags", [])}
    assert not actions(granted(studio, f"Studio{construct}")) & {*FORBIDDEN, "sts:AssumeRole", "iam:PassRole"}
    boundary = studio.only("AWS::IAM::ManagedPolicy", containing=f"Studio{construct}Boundary")
    denied = [s for s in statements(boundary["PolicyDocument"]) if s["Effect"] == "Deny"]
    assert actions(denied) >= FORBIDDEN


@pytest.mark.parametrize("construct", PERSONAS.values())
def test_a_notebook_does_what_its_persona_does_but_what_that_one_does_in_person(
    studio: Stack, governance: Stack, construct: str
) -> None:
    in_person = {"ComplianceOfficer": {"sagemaker:UpdateModelPackage"}, "MlopsEngineer": {"sts:AssumeRole"}}
    own = actions(granted(governance, f"Team{construct}"))
    assert own - actions(granted(studio, f"Studio{construct}")) == in_person.get(construct, set())


@pytest.mark.parametrize(("profile", "construct"), PERSONAS.items())
def test_a_space_is_private_and_its_owners(studio: Stack, profile: str, construct: str) -> None:
    found = granted(studio, f"Studio{construct}")
    for action in ("sagemaker:CreateSpace", "sagemaker:UpdateSpace", "sagemaker:CreateApp", "sagemaker:DeleteApp"):
        condition = about(found, action)["Condition"]
        assert condition["StringEquals"] == {"sagemaker:SpaceSharingType": "Private"}
        assert json.dumps(condition["ArnEquals"]["sagemaker:OwnerUserProfileArn"]).endswith(f'/{profile}"]]}}')


@pytest.mark.parametrize(("profile", "construct"), PERSONAS.items())
def test_a_persona_opens_its_own_profile_and_no_other(governance: Stack, profile: str, construct: str) -> None:
    opened = about(granted(governance, f"Team{construct}"), "sagemaker:CreatePresignedDomainUrl")
    [resource] = opened["Resource"]
    assert json.dumps(resource).endswith(f'/{profile}"]]}}')
    assert "*" not in json.dumps(resource)


def test_grants_on_the_key_are_for_aws_alone(studio: Stack) -> None:
    for construct in PERSONAS.values():
        condition = about(granted(studio, f"Studio{construct}"), "kms:CreateGrant")["Condition"]
        assert condition == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_users_of_a_directory_are_named_for_all_personas_or_for_none() -> None:
    everybody = {name: f"{name}@bank.example" for name in PERSONAS}
    assert StudioSettings.model_validate({"directory_users": everybody}).directory_users == everybody
    with pytest.raises(ValueError, match="directory_users: data-engineer has none"):
        StudioSettings.model_validate({"directory_users": {k: v for k, v in everybody.items() if k != "data-engineer"}})


def test_an_idle_time_that_sagemaker_does_not_know_is_refused(tmp_path: Any) -> None:
    text = (ROOT / "config" / "environments" / "dev.yaml").read_text().replace("idle_minutes: 60", "idle_minutes: 30")
    (tmp_path / "dev.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"dev\.yaml: studio\.idle_minutes: .* greater than or equal to 60"):
        load_environment("dev", tmp_path)
