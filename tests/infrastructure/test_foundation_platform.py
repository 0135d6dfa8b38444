"""Keys, network and notifications of an environment."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.platform_assembly import Stack, assembly, read, statements, synthesise, synthesised

PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}


@pytest.fixture(scope="module")
def lake() -> Stack:
    return synthesised()["dev"]["DataLake"]


def service_statements(key: dict[str, Any]) -> list[dict[str, Any]]:
    return [s for s in statements(key["KeyPolicy"]) if "Service" in s["Principal"]]


def test_there_is_a_key_for_each_purpose_and_each_is_rotated(lake: Stack) -> None:
    keys = lake.of_type("AWS::KMS::Key")
    assert len(keys) == 4
    assert all(key["EnableKeyRotation"] is True for key in keys.values())


@pytest.mark.parametrize("purpose", ["Data", "Models", "Vault"])
def test_no_service_may_use_the_key_of_data_for_itself(lake: Stack, purpose: str) -> None:
    assert service_statements(lake.only("AWS::KMS::Key", containing=f"Keys{purpose}")) == []


def test_log_groups_of_this_account_alone_may_use_the_operations_key(lake: Stack) -> None:
    [logs] = [
        s
        for s in service_statements(lake.only("AWS::KMS::Key", containing="KeysOperations"))
        if s["Principal"]["Service"] == "logs.eu-west-1.amazonaws.com"
    ]
    arn = json.dumps(logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    assert "AWS::AccountId" in arn
    assert ":log-group:*" in arn


def test_alarms_of_other_accounts_may_not_use_the_operations_key(lake: Stack) -> None:
    [alarms] = [
        s
        for s in service_statements(lake.only("AWS::KMS::Key", containing="KeysOperations"))
        if s["Principal"]["Service"] == "cloudwatch.amazonaws.com"
    ]
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_event_delivery_is_not_bound_to_a_key_that_eventbridge_does_not_send(lake: Stack) -> None:
    [events] = [
        s
        for s in service_statements(lake.only("AWS::KMS::Key", containing="KeysOperations"))
        if s["Principal"]["Service"] == "events.amazonaws.com"
    ]
    assert events["Condition"] == {}
    assert events["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_the_network_has_no_way_to_the_internet(lake: Stack) -> None:
    types = {body["Type"] for body in lake.resources.values()}
    assert not types & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP"}
    assert all(not s["MapPublicIpOnLaunch"] for s in lake.of_type("AWS::EC2::Subnet").values())


def test_subnets_lie_in_the_configured_zones(lake: Stack) -> None:
    zones = {subnet["AvailabilityZone"] for subnet in lake.of_type("AWS::EC2::Subnet").values()}
    assert zones == {"eu-west-1a", "eu-west-1b"}


def test_every_service_that_jobs_call_has_an_endpoint(lake: Stack) -> None:
    endpoints = lake.of_type("AWS::EC2::VPCEndpoint").values()
    interfaces = {e["ServiceName"].rsplit("eu-west-1.", 1)[1] for e in endpoints if e["VpcEndpointType"] == "Interface"}
    assert interfaces == {
        *("sagemaker.api", "sagemaker.runtime", "logs", "monitoring", "ecr.api", "ecr.dkr"),
        *("sts", "kms", "secretsmanager", "glue", "sagemaker.featurestore-runtime"),
    }
    assert sum(e["VpcEndpointType"] == "Gateway" for e in endpoints) == 2


def test_interface_endpoints_admit_jobs_on_443_and_nobody_else(lake: Stack) -> None:
    rules = [r for k, r in lake.of_type("AWS::EC2::SecurityGroupIngress").items() if "NetworkEndpoints" in k]
    assert [(r["FromPort"], r["ToPort"]) for r in rules] == [(443, 443)]
    assert "NetworkJobs" in json.dumps(rules[0]["SourceSecurityGroupId"])


def test_nothing_may_come_in_from_an_address(lake: Stack) -> None:
    groups = lake.of_type("AWS::EC2::SecurityGroup").values()
    assert [g["SecurityGroupIngress"] for g in groups if "SecurityGroupIngress" in g] == []
    assert all("CidrIp" not in rule for rule in lake.of_type("AWS::EC2::SecurityGroupIngress").values())


def test_workers_of_a_job_reach_each_other_on_every_port(lake: Stack) -> None:
    [rule] = [
        r for k, r in lake.of_type("AWS::EC2::SecurityGroupIngress").items() if "NetworkJobs" in k.split("from")[0]
    ]
    assert (rule["FromPort"], rule["ToPort"]) == (0, 65535)
    assert rule["GroupId"] == rule["SourceSecurityGroupId"]


def test_jobs_leave_by_https_or_to_the_databases_port_at_private_addresses(lake: Stack) -> None:
    group = lake.only("AWS::EC2::SecurityGroup", containing="NetworkJobs")
    exits = {(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]}
    assert exits == {("0.0.0.0/0", 443, 443)} | {(cidr, 5432, 5432) for cidr in PRIVATE}


def test_the_storage_endpoint_leads_to_buckets_of_this_account_and_to_what_aws_publishes(lake: Stack) -> None:
    endpoint = lake.only("AWS::EC2::VPCEndpoint", containing="S3")
    own, published = statements(endpoint["PolicyDocument"])
    assert own["Condition"] == {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}
    assert published["Action"] == ["s3:GetObject"]


def test_the_table_endpoint_leads_to_tables_of_this_account(lake: Stack) -> None:
    endpoint = lake.only("AWS::EC2::VPCEndpoint", containing="DynamoDb")
    [own] = statements(endpoint["PolicyDocument"])
    assert own["Condition"] == {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}


def test_flow_logs_are_encrypted_and_kept_as_configured(lake: Stack) -> None:
    group = lake.only("AWS::Logs::LogGroup", containing="FlowLogGroup")
    assert "KeysOperations" in json.dumps(group["KmsKeyId"])
    assert group["RetentionInDays"] == 30
    assert lake.only("AWS::EC2::FlowLog")["TrafficType"] == "ALL"


def test_the_topic_is_encrypted_and_refuses_plain_http(lake: Stack) -> None:
    assert "KeysOperations" in json.dumps(lake.only("AWS::SNS::Topic")["KmsMasterKeyId"])
    policy = lake.only("AWS::SNS::TopicPolicy")["PolicyDocument"]
    denied = [s for s in statements(policy) if s["Effect"] == "Deny"]
    assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_alarms_of_this_account_alone_may_publish(lake: Stack) -> None:
    policy = lake.only("AWS::SNS::TopicPolicy")["PolicyDocument"]
    [alarms] = [s for s in statements(policy) if s.get("Sid") == "AlarmsOfThisAccount"]
    assert alarms["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_everybody_on_the_list_is_told() -> None:
    subscribed = {s["Endpoint"] for s in synthesised()["prod"]["DataLake"].of_type("AWS::SNS::Subscription").values()}
    assert subscribed == {"mlops-on-call@bank.example", "model-risk@bank.example"}


def test_a_concrete_account_is_asked_nothing_during_synthesis(tmp_path: Path) -> None:
    outdir = synthesise(tmp_path, environments=["dev"], account="111122223333")
    assert all("missing" not in json.loads(m.read_text()) for m in outdir.rglob("manifest.json"))
    subnets = read(outdir, "dev")["DataLake"].of_type("AWS::EC2::Subnet").values()
    assert {subnet["AvailabilityZone"] for subnet in subnets} == {"eu-west-1a", "eu-west-1b"}


def test_two_syntheses_are_equal_to_the_byte(tmp_path: Path) -> None:
    first, second = assembly(), synthesise(tmp_path)
    names = sorted(path.relative_to(first) for path in first.rglob("*.json"))
    assert names == sorted(path.relative_to(second) for path in second.rglob("*.json"))
    assert [n for n in names if (first / n).read_bytes() != (second / n).read_bytes()] == []
