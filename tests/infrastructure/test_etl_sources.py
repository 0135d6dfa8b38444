"""The way to each kind of source: the connection, what the job is told, and the least that its role needs."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.platform_assembly import ROOT, Stack, statements
from tests.infrastructure.sources_assembly import (
    BANK_CA,
    COMPANY_SECRET,
    CONNECTIONS,
    KEY,
    READER,
    RELATIONAL,
    SERVERS,
    TABLES,
    synthesised,
)
from tests.test_templates import cfn_lint

OWN_SECRET = [name for name in SERVERS if name != "companysecret"]
LIBRARY_ENGINES = ["mongodb", "mongodbverified", "documentdb", "redis"]
WITHOUT_LOGIN = [name for name in CONNECTIONS if name not in SERVERS]


def stack(name: str) -> Stack:
    return synthesised()[0][name]


def arguments(name: str) -> dict[str, Any]:
    return dict(stack(name).only("AWS::Glue::Job")["DefaultArguments"])


def connection(name: str) -> dict[str, Any]:
    return dict(stack(name).only("AWS::Glue::Connection")["ConnectionInput"])


def allowed(name: str) -> list[dict[str, Any]]:
    policies = stack(name).of_type("AWS::IAM::Policy").values()
    return [s for policy in policies for s in statements(policy["PolicyDocument"])]


def granting(name: str, action: str) -> list[dict[str, Any]]:
    return [s for s in allowed(name) if action in s["Action"]]


def test_cdk_nag_has_no_finding_that_is_unanswered() -> None:
    assert synthesised()[1] == []


def test_cfn_lint_finds_no_error() -> None:
    templates = sorted(str(path) for path in synthesised()[2].glob("*.template.json"))
    assert len(templates) == len(CONNECTIONS) + 1
    errors = [f for f in cfn_lint(*templates) if f["Level"] == "Error" or f["Rule"]["Id"] == "W3037"]
    assert [f"{f['Filename']}: {f['Rule']['Id']} {f['Message']}" for f in errors] == []


def test_cfn_lint_would_find_an_action_that_does_not_exist(tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "Action": ["s3:ReadObject"], "Resource": "arn:aws:s3:::bank-exports/*"}
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": "p",
            "Roles": ["r"],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }
    (tmp_path / "bad.template.json").write_text(json.dumps({"Resources": {"Policy": policy}}))
    assert "W3037" in {finding["Rule"]["Id"] for finding in cfn_lint(str(tmp_path / "bad.template.json"))}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_every_job_runs_in_the_private_network(name: str) -> None:
    place = connection(name)["PhysicalConnectionRequirements"]
    assert place["AvailabilityZone"] == "eu-west-1a"
    assert "NetworkIsolatedSubnet1" in json.dumps(place["SubnetId"])
    assert "NetworkJobs" in json.dumps(place["SecurityGroupIdList"])
    attached = stack(name).only("AWS::Glue::Job")["Connections"]["Connections"]
    assert attached == [{"Ref": next(iter(stack(name).of_type("AWS::Glue::Connection")))}]


@pytest.mark.parametrize("name", CONNECTIONS)
def test_only_a_relational_database_has_a_jdbc_connection(name: str) -> None:
    assert connection(name)["ConnectionType"] == ("JDBC" if name in RELATIONAL else "NETWORK")
    assert ("ConnectionProperties" in connection(name)) == (name in RELATIONAL)
    assert ("--connection_name" in arguments(name)) == (name in RELATIONAL)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("postgresql", '{"database":"core","host":"db.bank.example","port":5432}'),
        ("mongodb", '{"database":"core","host":"db.bank.example","port":27017}'),
        ("redis", '{"database":3,"host":"db.bank.example","port":6380}'),
        ("dynamodb", "{}"),
        ("dynamodbrole", f'{{"role":"{READER}"}}'),
        ("s3", '{"bucket":"bank-exports"}'),
        ("s3role", f'{{"bucket":"partner-exports","role":"{READER}"}}'),
    ],
)
def test_the_job_is_told_where_its_source_is(name: str, place: str) -> None:
    assert arguments(name)["--place"] == place
    assert arguments(name)["--engine"] == CONNECTIONS[name]["engine"]


@pytest.mark.parametrize("name", CONNECTIONS)
def test_no_password_stands_anywhere(name: str) -> None:
    text = json.dumps(stack(name).of_type("AWS::Glue::Job")) + json.dumps(connection(name))
    assert "password" not in text.lower()
    assert all("SecretString" not in s for s in stack(name).of_type("AWS::SecretsManager::Secret").values())


def test_postgresql_is_verified_by_the_companys_authority_on_every_executor() -> None:
    url = connection("verified")["ConnectionProperties"]["JDBC_CONNECTION_URL"]
    assert url.partition("?")[2].split("&") == [
        "sslmode=verify-full",
        "sslfactory=org.postgresql.ssl.SingleCertValidatingFactory",
        "sslfactoryarg=classpath:certificate_authority.pem",
    ]
    jar = synthesised()[2].parent / f"asset.{shipped_file(arguments('verified')['--extra-jars'])}"
    with zipfile.ZipFile(jar) as archive:
        assert archive.read("certificate_authority.pem") == (ROOT / BANK_CA).read_bytes()


def test_a_python_reader_is_told_the_name_of_the_authoritys_file_in_its_folder() -> None:
    name = shipped_file(arguments("mongodbverified")["--extra-files"])
    assert json.loads(arguments("mongodbverified")["--place"])["ca_file"] == name
    assert (synthesised()[2].parent / f"asset.{name}").read_bytes() == (ROOT / BANK_CA).read_bytes()


@pytest.mark.parametrize(("name", "argument"), [("verified", "--extra-jars"), ("mongodbverified", "--extra-files")])
def test_the_job_may_download_the_authoritys_file(name: str, argument: str) -> None:
    file = shipped_file(arguments(name)[argument])
    assert any(f"/{file}" in json.dumps(r) for s in granting(name, "s3:GetObject") for r in s["Resource"])


def shipped_file(location: dict[str, Any]) -> str:
    return re.findall(r"/([0-9a-f]{64}\.\w+)", json.dumps(location))[0]


@pytest.mark.parametrize("name", OWN_SECRET)
def test_a_server_gets_a_login_under_the_key_of_the_vault(name: str) -> None:
    secret = stack(name).only("AWS::SecretsManager::Secret", containing="SourceLogin")
    assert "KeysVault" in json.dumps(secret["KmsKeyId"])
    [logical_id] = [i for i in stack(name).of_type("AWS::SecretsManager::Secret") if "SourceLogin" in i]
    assert arguments(name)["--secret_arn"] == {"Ref": logical_id}
    assert stack(name).template["Outputs"]["SourceSecretArn"]["Value"] == {"Ref": logical_id}


def test_a_secret_that_the_company_owns_is_taken_instead() -> None:
    assert [i for i in stack("companysecret").of_type("AWS::SecretsManager::Secret") if "Login" in i] == []
    assert arguments("companysecret")["--secret_arn"] == COMPANY_SECRET
    assert connection("companysecret")["ConnectionProperties"]["SECRET_ID"] == COMPANY_SECRET
    assert COMPANY_SECRET in [
        r for s in granting("companysecret", "secretsmanager:GetSecretValue") for r in s["Resource"]
    ]


def test_the_key_of_the_companys_secret_opens_for_that_secret_alone() -> None:
    [use] = [s for s in granting("companysecret", "kms:Decrypt") if "222222222222" in json.dumps(s["Resource"])]
    assert use["Action"] == ["kms:Decrypt"]
    assert use["Condition"]["StringEquals"] == {
        "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
        "kms:EncryptionContext:SecretARN": COMPANY_SECRET,
    }


@pytest.mark.parametrize("name", WITHOUT_LOGIN)
def test_what_iam_opens_has_no_login(name: str) -> None:
    assert "--secret_arn" not in arguments(name)
    assert "SourceSecretArn" not in stack(name).template["Outputs"]
    [secrets] = granting(name, "secretsmanager:GetSecretValue")
    assert "PseudonymKey" in json.dumps(secrets["Resource"]) and len(secrets["Resource"]) == 1


@pytest.mark.parametrize("name", ["dynamodb", "dynamodbkey"])
def test_a_table_of_this_account_is_scanned_and_described_and_no_other(name: str) -> None:
    [scan] = granting(name, "dynamodb:Scan")
    assert sorted(scan["Action"]) == ["dynamodb:DescribeTable", "dynamodb:Scan"]
    [table] = scan["Resource"]
    assert json.dumps(table).endswith(f':table/{TABLES["dynamodb"]}"]]}}')
    assert {action for s in allowed(name) for action in s["Action"] if action.startswith("dynamodb:")} == {
        "dynamodb:DescribeTable",
        "dynamodb:Scan",
    }


@pytest.mark.parametrize("name", ["s3", "s3key"])
def test_files_of_this_account_are_listed_and_read_below_their_prefix_alone(name: str) -> None:
    source = [s for s in allowed(name) if "bank-exports" in json.dumps(s["Resource"])]
    assert {action for s in source for action in s["Action"]} == {"s3:GetObject", "s3:ListBucket"}
    [listing] = [s for s in source if "s3:ListBucket" in s["Action"]]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["exports/customers/*"]}}
    assert listing["Resource"] == ["arn:aws:s3:::bank-exports"]
    places = [r for s in granting(name, "s3:GetObject") for r in s["Resource"] if "bank-exports" in json.dumps(r)]
    assert places == ["arn:aws:s3:::bank-exports/exports/customers/*"]


@pytest.mark.parametrize(("name", "service"), [("dynamodbkey", "dynamodb"), ("s3key", "s3")])
def test_the_sources_key_opens_through_the_service_that_holds_it(name: str, service: str) -> None:
    [use] = [s for s in granting(name, "kms:Decrypt") if s["Resource"] == [KEY]]
    assert use["Action"] == ["kms:Decrypt"]
    assert use["Condition"] == {"StringEquals": {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"}}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_another_account_is_entered_by_the_declared_role_and_by_nothing_else(name: str) -> None:
    entered = [s["Resource"] for s in granting(name, "sts:AssumeRole")]
    assert entered == ([[READER]] if "role" in CONNECTIONS[name] else [])
    if "role" in CONNECTIONS[name]:
        assert "partner-exports" not in json.dumps(allowed(name))
        assert not any(action.startswith("dynamodb:") for s in allowed(name) for action in s["Action"])


@pytest.mark.parametrize("name", CONNECTIONS)
def test_the_role_holds_no_wildcard_action_and_what_it_may_do_everywhere_only_describes(name: str) -> None:
    assert not any("*" in action for s in allowed(name) for action in s["Action"])
    everywhere = [s for s in allowed(name) if s["Resource"] == ["*"] and not s["Condition"]]
    assert {action.partition(":Describe")[0] for s in everywhere for action in s["Action"]} == {"ec2"}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_python_packages_come_along_where_the_engine_needs_them_and_nowhere_else(name: str) -> None:
    shipped = json.dumps(arguments(name)["--extra-py-files"])
    assert shipped.count(".zip") == (2 if name in LIBRARY_ENGINES else 1)


@pytest.mark.parametrize("name", CONNECTIONS)
def test_surrogates_of_a_domain_are_reached_by_its_models_and_nothing_else_of_what_is_shared(name: str) -> None:
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"):
        places = [json.dumps(r) for s in granting(name, action) for r in s["Resource"] if "ZonesVault" in json.dumps(r)]
        assert sorted(place.rsplit('"/', 1)[1].rstrip('"]}') for place in places) == [
            f"on_{name}/*",
            "shared/surrogates/customer/*",
        ]
    for action in ("s3:ListBucketVersions", "s3:ListBucket"):
        [listing] = [s for s in granting(name, action) if "ZonesVault" in json.dumps(s["Resource"])]
        assert listing["Condition"] == {"StringLike": {"s3:prefix": [f"on_{name}/*", "shared/surrogates/customer/*"]}}


def test_the_network_lets_jobs_out_to_the_ports_of_the_declared_servers_alone() -> None:
    group = stack("DataLake").only("AWS::EC2::SecurityGroup", containing="NetworkJobs")
    ports = {rule["FromPort"] for rule in group["SecurityGroupEgress"]} - {443}
    assert ports == {5432, 3306, 3307, 1433, 2484, 27017, 27018, 6380}


def test_the_networks_endpoint_leads_to_the_declared_bucket_of_another_account_for_reading() -> None:
    endpoint = stack("DataLake").only("AWS::EC2::VPCEndpoint", containing="S3")
    [foreign] = [s for s in statements(endpoint["PolicyDocument"]) if s["Sid"] == "SourcesOfOtherAccounts"]
    assert sorted(foreign["Action"]) == ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"]
    assert foreign["Resource"] == ["arn:aws:s3:::partner-exports", "arn:aws:s3:::partner-exports/*"]


def test_the_networks_endpoint_leads_to_tables_of_the_declared_account_for_reading() -> None:
    endpoint = stack("DataLake").only("AWS::EC2::VPCEndpoint", containing="DynamoDb")
    [foreign] = [s for s in statements(endpoint["PolicyDocument"]) if s["Sid"] == "SourcesOfOtherAccounts"]
    assert sorted(foreign["Action"]) == ["dynamodb:DescribeTable", "dynamodb:Scan"]
    assert foreign["Condition"] == {"StringEquals": {"aws:ResourceAccount": ["333333333333"]}}
