"""CloudFormation of embedded AWS: every resource type of our own is created, updated and deleted for real."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws

ROLE = "arn:aws:iam::000000000000:role/any"
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5"
JOB_ROLE = {
    "JobResources": {"ClusterConfig": {"InstanceCount": "1", "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}},
    "RoleArn": ROLE,
}


def resource(type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type, "Properties": properties}


def job_definition(kind: str, image: str) -> dict[str, Any]:
    """The smallest definition that the service accepts."""
    inputs: dict[str, Any] = {
        "EndpointInput": {"EndpointName": "e", "LocalPath": "/opt/ml/processing/input", "ProbabilityAttribute": "0"}
    }
    if kind in ("ModelQuality", "ModelBias"):
        inputs["GroundTruthS3Input"] = {"S3Uri": "s3://bucket/truth"}
    specification: dict[str, Any] = {"ImageUri": image}
    if kind in ("ModelBias", "ModelExplainability"):
        specification["ConfigUri"] = "s3://bucket/config.json"
    output = {"S3Output": {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/processing/output"}}
    return resource(
        f"AWS::SageMaker::{kind}JobDefinition",
        **{f"{kind}AppSpecification": specification, f"{kind}JobInput": inputs},
        **{f"{kind}JobOutputConfig": {"MonitoringOutputs": [output]}},
        **JOB_ROLE,
    )


def test_a_model_package_group_keeps_its_versions_through_an_update(aws: EmbeddedAws, stacks: Any) -> None:
    sagemaker = aws.client("sagemaker")

    def group(team: str) -> dict[str, Any]:
        tags = [{"Key": "team", "Value": team}]
        policy = {"Version": "2012-10-17", "Statement": []}
        named = {"ModelPackageGroupName": "front-group", "ModelPackageGroupPolicy": policy}
        return {"Group": resource("AWS::SageMaker::ModelPackageGroup", **named, Tags=tags)}

    assert stacks.deploy("front-group", group("one")) == "CREATE_COMPLETE"
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName="front-group")["ModelPackageGroupArn"]
    sagemaker.create_model_package(ModelPackageGroupName="front-group")

    assert stacks.deploy("front-group", group("two")) == "UPDATE_COMPLETE"
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags["team"] == "two"
    assert tags["aws:cloudformation:stack-name"] == "front-group"
    policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName="front-group")["ResourcePolicy"]
    assert json.loads(policy)["Version"] == "2012-10-17"
    versions = sagemaker.list_model_packages(ModelPackageGroupName="front-group")["ModelPackageSummaryList"]
    assert [version["ModelPackageVersion"] for version in versions] == [1]

    sagemaker.delete_model_package(ModelPackageName=f"{arn.replace('-group', '', 1)}/1")
    stacks.delete("front-group")
    with pytest.raises(ClientError, match="Could not find model package group"):
        sagemaker.describe_model_package_group(ModelPackageGroupName="front-group")


@pytest.mark.parametrize("kind", ["DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"])
def test_a_changed_job_definition_is_replaced_and_its_schedule_follows(
    aws: EmbeddedAws, stacks: Any, kind: str
) -> None:
    sagemaker = aws.client("sagemaker")
    schedule_name = f"front-{kind.lower()}"

    def template(image: str) -> dict[str, Any]:
        config = {
            "MonitoringJobDefinitionName": {"Fn::GetAtt": ["Definition", "JobDefinitionName"]},
            "MonitoringType": kind,
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
        }
        schedule = {"MonitoringScheduleName": schedule_name, "MonitoringScheduleConfig": config}
        return {
            "Definition": job_definition(kind, image),
            "Schedule": resource("AWS::SageMaker::MonitoringSchedule", **schedule),
        }

    def watched() -> str:
        described = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule_name)
        return str(described["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"])

    assert stacks.deploy(schedule_name, template("image:1")) == "CREATE_COMPLETE", stacks.why(schedule_name)
    first = watched()
    assert stacks.deploy(schedule_name, template("image:2")) == "UPDATE_COMPLETE", stacks.why(schedule_name)
    second = watched()
    assert first != second
    lister = getattr(sagemaker, f"list_{_snake(kind)}_job_definitions")
    listed = [item["MonitoringJobDefinitionName"] for item in lister()["JobDefinitionSummaries"]]
    assert second in listed
    assert first not in listed
    stacks.delete(schedule_name)
    assert schedule_name not in str(sagemaker.list_monitoring_schedules())


def _snake(kind: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("_")


def test_network_rules_and_flow_logs_are_there_and_go(aws: EmbeddedAws, stacks: Any) -> None:
    ec2 = aws.client("ec2")

    def template(port: int) -> dict[str, Any]:
        group = {"Ref": "Group"}
        rule = {"GroupId": {"Fn::GetAtt": ["Group", "GroupId"]}, "IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        return {
            "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.77.0.0/16"),
            "Group": resource(
                "AWS::EC2::SecurityGroup", GroupDescription="front", VpcId={"Ref": "Vpc"}, GroupName="front-rules"
            ),
            "In": resource("AWS::EC2::SecurityGroupIngress", **rule, SourceSecurityGroupId=group),
            "Out": resource("AWS::EC2::SecurityGroupEgress", **rule, CidrIp="10.0.0.0/8", Description="out"),
            "Log": resource(
                "AWS::EC2::FlowLog",
                ResourceId={"Ref": "Vpc"},
                ResourceType="VPC",
                TrafficType="ALL",
                LogDestinationType="cloud-watch-logs",
                LogGroupName="front-flows",
                DeliverLogsPermissionArn=ROLE,
            ),
        }

    def ports(direction: str) -> set[int]:
        group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["front-rules"]}])
        return {rule["FromPort"] for rule in group["SecurityGroups"][0][direction] if "FromPort" in rule}

    def watched() -> list[str]:
        return [log["ResourceId"] for log in ec2.describe_flow_logs()["FlowLogs"]]

    assert stacks.deploy("front-net", template(443)) == "CREATE_COMPLETE", stacks.why("front-net")
    assert 443 in ports("IpPermissions")
    assert 443 in ports("IpPermissionsEgress")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["front-rules"]}])
    vpc = group["SecurityGroups"][0]["VpcId"]
    assert vpc in watched()
    assert stacks.deploy("front-net", template(8443)) == "UPDATE_COMPLETE", stacks.why("front-net")
    assert ports("IpPermissions") == {8443}
    stacks.delete("front-net")
    assert vpc not in watched()


def test_a_composite_alarm_follows_its_rule(aws: EmbeddedAws, stacks: Any) -> None:
    cloudwatch = aws.client("cloudwatch")

    def template(description: str) -> dict[str, Any]:
        alarm = resource(
            "AWS::CloudWatch::Alarm",
            AlarmName="front-child",
            Namespace="Front",
            MetricName="Composite",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        composite = resource(
            "AWS::CloudWatch::CompositeAlarm", AlarmRule="ALARM(front-child)", AlarmDescription=description
        )
        return {"Child": alarm, "Both": {**composite, "DependsOn": "Child"}}

    arn = {"Arn": {"Value": {"Fn::GetAtt": ["Both", "Arn"]}}, "Name": {"Value": {"Ref": "Both"}}}
    assert stacks.deploy("front-composite", template("one"), Outputs=arn) == "CREATE_COMPLETE"
    assert stacks.deploy("front-composite", template("two"), Outputs=arn) == "UPDATE_COMPLETE"
    name = stacks.outputs("front-composite")["Name"]
    found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    assert found["AlarmDescription"] == "two"
    assert found["AlarmArn"] == stacks.outputs("front-composite")["Arn"]
    stacks.delete("front-composite")
    assert not cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]


def test_a_secret_gets_its_policy_and_rotation(aws: EmbeddedAws, stacks: Any) -> None:
    secrets = aws.client("secretsmanager")

    def template(days: int) -> dict[str, Any]:
        policy = {"Version": "2012-10-17", "Statement": [{"Sid": f"D{days}", "Effect": "Deny", "Action": "*"}]}
        return {
            "Secret": resource("AWS::SecretsManager::Secret", Name="front-secret", SecretString="kept"),
            "Policy": resource(
                "AWS::SecretsManager::ResourcePolicy", SecretId={"Ref": "Secret"}, ResourcePolicy=policy
            ),
            "Rotation": resource(
                "AWS::SecretsManager::RotationSchedule",
                SecretId={"Ref": "Secret"},
                RotationLambdaARN="arn:aws:lambda:eu-west-1:000000000000:function:rotate",
                RotationRules={"AutomaticallyAfterDays": days},
                RotateImmediatelyOnUpdate=False,
            ),
        }

    assert stacks.deploy("front-secret", template(30)) == "CREATE_COMPLETE", stacks.why("front-secret")
    assert stacks.deploy("front-secret", template(7)) == "UPDATE_COMPLETE", stacks.why("front-secret")
    described = secrets.describe_secret(SecretId="front-secret")
    assert described["RotationEnabled"]
    assert described["RotationRules"]["AutomaticallyAfterDays"] == 7
    assert "D7" in secrets.get_resource_policy(SecretId="front-secret")["ResourcePolicy"]
    assert secrets.get_secret_value(SecretId="front-secret")["SecretString"] == "kept"
    stacks.delete("front-secret")


def test_a_security_configuration_of_glue_is_there(aws: EmbeddedAws, stacks: Any) -> None:
    glue = aws.client("glue")

    def template(mode: str) -> dict[str, Any]:
        logs = {"CloudWatchEncryption": {"CloudWatchEncryptionMode": mode}}
        name = {"Ref": "Configuration"}
        configuration = resource("AWS::Glue::SecurityConfiguration", EncryptionConfiguration=logs, Name=f"front-{mode}")
        script = {"Name": "glueetl", "ScriptLocation": "s3://bucket/job.py"}
        job = resource("AWS::Glue::Job", Name="front-job", Role=ROLE, Command=script, SecurityConfiguration=name)
        return {"Configuration": configuration, "Job": job}

    assert stacks.deploy("front-glue", template("DISABLED")) == "CREATE_COMPLETE", stacks.why("front-glue")
    assert stacks.deploy("front-glue", template("SSE-KMS")) == "UPDATE_COMPLETE", stacks.why("front-glue")
    named = glue.get_job(JobName="front-job")["Job"]["SecurityConfiguration"]
    assert named == "front-SSE-KMS"
    assert [item["Name"] for item in glue.get_security_configurations()["SecurityConfigurations"]] == [named]
    stacks.delete("front-glue")


@pytest.mark.parametrize(
    "type", ["AWS::SageMaker::InferenceComponent", "AWS::LakeFormation::Resource", "AWS::No::Such"]
)
def test_a_type_that_nobody_creates_is_refused(stacks: Any, type: str) -> None:
    with pytest.raises(ClientError, match=rf"ValidationError.*Unrecognized resource types: \[{type}\]"):
        stacks.deploy("front-refused", {"Thing": resource(type)})
    assert "front-refused" not in stacks.names()


def test_a_property_that_the_service_does_not_know_fails_the_stack(stacks: Any) -> None:
    group = resource("AWS::SageMaker::ModelPackageGroup", ModelPackageGroupName="front-typo", Colour="red")
    assert stacks.deploy("front-typo", {"Group": group}) == "ROLLBACK_COMPLETE"
    assert "Colour" in stacks.why("front-typo")


def test_conditions_parameters_rules_and_imports_work(aws: EmbeddedAws, stacks: Any) -> None:
    cloudformation = aws.client("cloudformation")
    aws.client("ssm").put_parameter(Name="/front/version", Value="21", Type="String")
    shared = {"Name": {"Value": "shared-value", "Export": {"Name": "front-shared"}}}
    topic = {"Topic": resource("AWS::SNS::Topic", TopicName="front-exporter")}
    assert stacks.deploy("front-exporter", topic, Outputs=shared) == "CREATE_COMPLETE"

    version = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/front/version"}
    served = {"Fn::Not": [{"Fn::Equals": [{"Ref": "Package"}, "none"]}]}
    newest = {"Assertions": [{"Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "BootstrapVersion"}]}]}}]}
    sections = {
        "Parameters": {"BootstrapVersion": version, "Package": {"Type": "String", "Default": "none"}},
        "Conditions": {"Served": served},
        "Rules": {"CheckBootstrapVersion": newest},
        "Outputs": {"Served": {"Value": {"Ref": "Package"}, "Condition": "Served"}},
    }
    imported = resource("AWS::SSM::Parameter", Type="String", Value={"Fn::ImportValue": "front-shared"})
    conditional = {**resource("AWS::SNS::Topic", TopicName={"Ref": "Package"}), "Condition": "Served"}
    assert stacks.deploy("front-importer", {"Import": imported, "Only": conditional}, **sections) == "CREATE_COMPLETE"
    assert stacks.outputs("front-importer") == {}

    def serve(package: str) -> str:
        chosen = [{"ParameterKey": "Package", "ParameterValue": package}]
        kept = [{"ParameterKey": "BootstrapVersion", "UsePreviousValue": True}]
        cloudformation.update_stack(StackName="front-importer", UsePreviousTemplate=True, Parameters=chosen + kept)
        return stacks.settled("front-importer")

    assert serve("v1") == "UPDATE_COMPLETE"
    assert stacks.outputs("front-importer") == {"Served": "v1"}
    with pytest.raises(ClientError, match="No updates are to be performed"):
        serve("v1")
    assert serve("none") == "UPDATE_COMPLETE"
    assert ":v1" not in str(aws.client("sns").list_topics())
    with pytest.raises(ClientError, match="front-shared"):
        cloudformation.delete_stack(StackName="front-exporter")
    stacks.delete("front-importer")
    stacks.delete("front-exporter")


def test_a_failed_update_is_rolled_back(aws: EmbeddedAws, stacks: Any) -> None:
    def template(group: dict[str, Any]) -> dict[str, Any]:
        value = resource("AWS::SSM::Parameter", Name="/front/rolled", Type="String", Value=str(len(group)))
        return {
            "Value": value,
            "Group": {**resource("AWS::SageMaker::ModelPackageGroup", **group), "DependsOn": "Value"},
        }

    sound = {"ModelPackageGroupName": "front-rolled"}
    assert stacks.deploy("front-rolled", template(sound)) == "CREATE_COMPLETE"
    faulty = {"ModelPackageGroupName": "not_a_name", "ModelPackageGroupDescription": "x"}
    assert stacks.deploy("front-rolled", template(faulty)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "regular expression" in stacks.why("front-rolled")
    assert aws.client("ssm").get_parameter(Name="/front/rolled")["Parameter"]["Value"] == "1"
    aws.client("sagemaker").describe_model_package_group(ModelPackageGroupName="front-rolled")
    stacks.delete("front-rolled")


def test_a_pipeline_is_updated_in_place(aws: EmbeddedAws, stacks: Any) -> None:
    sagemaker = aws.client("sagemaker")

    def template(message: str) -> dict[str, Any]:
        step = {"Name": "Refuse", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
        definition = {"Version": "2020-12-01", "Parameters": [], "Steps": [step]}
        body = {"PipelineDefinitionBody": json.dumps(definition)}
        named = {"PipelineName": "front-pipeline", "RoleArn": ROLE, "PipelineDefinition": body}
        return {"Pipeline": resource("AWS::SageMaker::Pipeline", **named)}

    def defined() -> str:
        return str(sagemaker.describe_pipeline(PipelineName="front-pipeline")["PipelineDefinition"])

    assert stacks.deploy("front-pipeline", template("one")) == "CREATE_COMPLETE", stacks.why("front-pipeline")
    created = sagemaker.describe_pipeline(PipelineName="front-pipeline")["CreationTime"]
    assert stacks.deploy("front-pipeline", template("two")) == "UPDATE_COMPLETE", stacks.why("front-pipeline")
    assert '"two"' in defined()
    assert sagemaker.describe_pipeline(PipelineName="front-pipeline")["CreationTime"] == created
    stacks.delete("front-pipeline")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        defined()


def test_a_connection_into_the_network_and_a_table_of_versions_are_there(aws: EmbeddedAws, stacks: Any) -> None:
    place = {"SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"], "AvailabilityZone": "eu-west-1a"}
    connection = {"ConnectionType": "NETWORK", "Description": "dynamodb", "PhysicalConnectionRequirements": place}
    location = {"Fn::Join": ["", ["s3://", "curated", "/churn/runs/${run_id}/"]]}
    table = {
        "Name": "front_versions",
        "Parameters": {"projection.enabled": "true", "storage.location.template": location},
        "PartitionKeys": [{"Name": "run_id", "Type": "string"}],
        "StorageDescriptor": {"Columns": [{"Name": "country", "Type": "string"}], "Location": "s3://curated/churn/"},
    }
    resources = {
        "Connection": resource("AWS::Glue::Connection", CatalogId="000000000000", ConnectionInput=connection),
        "Database": resource("AWS::Glue::Database", CatalogId="000000000000", DatabaseInput={"Name": "front_versions"}),
        "Table": {
            **resource("AWS::Glue::Table", CatalogId="000000000000", DatabaseName="front_versions", TableInput=table),
            "DependsOn": "Database",
        },
    }
    outputs = {"Name": {"Value": {"Ref": "Connection"}}}
    assert stacks.deploy("front-network", resources, Outputs=outputs) == "CREATE_COMPLETE", stacks.why("front-network")
    glue = aws.client("glue")
    found = glue.get_connection(Name=stacks.outputs("front-network")["Name"])["Connection"]
    assert found["ConnectionType"] == "NETWORK"
    assert found["PhysicalConnectionRequirements"] == place
    versions = glue.get_table(DatabaseName="front_versions", Name="front_versions")["Table"]
    assert versions["Parameters"]["storage.location.template"] == "s3://curated/churn/runs/${run_id}/"
    assert [key["Name"] for key in versions["PartitionKeys"]] == ["run_id"]
    stacks.delete("front-network")


def test_a_studio_domain_is_changed_in_place_and_goes_after_its_profiles(aws: EmbeddedAws, stacks: Any) -> None:
    sagemaker = aws.client("sagemaker")

    def studio(idle_minutes: int) -> dict[str, Any]:
        idle = {"IdleSettings": {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": idle_minutes}}
        return {
            "Domain": resource(
                "AWS::SageMaker::Domain",
                DomainName="front-studio",
                AuthMode="IAM",
                VpcId="vpc-1",
                SubnetIds=["subnet-1"],
                AppNetworkAccessType="VpcOnly",
                DomainSettings={"DockerSettings": {"EnableDockerAccess": "DISABLED"}},
                DefaultUserSettings={
                    "ExecutionRole": ROLE,
                    "SecurityGroups": ["sg-1"],
                    "JupyterLabAppSettings": {"AppLifecycleManagement": idle},
                },
            ),
            "Profile": resource(
                "AWS::SageMaker::UserProfile",
                DomainId={"Fn::GetAtt": ["Domain", "DomainId"]},
                UserProfileName="somebody",
                UserSettings={"ExecutionRole": ROLE},
            ),
        }

    assert stacks.deploy("front-studio", studio(60)) == "CREATE_COMPLETE", stacks.why("front-studio")
    [domain] = sagemaker.list_domains()["Domains"]
    [profile] = sagemaker.list_user_profiles(DomainIdEquals=domain["DomainId"])["UserProfiles"]
    assert profile["UserProfileName"] == "somebody"
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.delete_domain(DomainId=domain["DomainId"])

    assert stacks.deploy("front-studio", studio(90)) == "UPDATE_COMPLETE", stacks.why("front-studio")
    found = sagemaker.describe_domain(DomainId=domain["DomainId"])
    settings = found["DefaultUserSettings"]["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    assert settings["IdleTimeoutInMinutes"] == 90
    assert found["DomainSettings"]["DockerSettings"]["EnableDockerAccess"] == "DISABLED"

    stacks.delete("front-studio")
    assert sagemaker.list_domains()["Domains"] == []


def test_a_closed_domain_without_a_security_group_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match="SecurityGroups are required"):
        aws.client("sagemaker").create_domain(
            DomainName="open",
            AuthMode="IAM",
            AppNetworkAccessType="VpcOnly",
            DefaultUserSettings={"ExecutionRole": ROLE},
        )
