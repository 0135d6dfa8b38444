"""The probe of each resource type. Key types are also compared with what their template says."""

import json
from typing import Any

from embedded.probe import ClientFactory, Missing, Probe, Resource, get, get_by_name, get_list, require


def _bucket(client: ClientFactory, resource: Resource) -> str:
    s3 = client("s3")
    s3.head_bucket(Bucket=resource.id)
    calls = ["s3 head_bucket"]
    if resource.literal("VersioningConfiguration", "Status") == "Enabled":
        status = s3.get_bucket_versioning(Bucket=resource.id).get("Status")
        require(status == "Enabled", f"{resource.id} is not versioned")
        calls.append("get_bucket_versioning")
    if "BucketEncryption" in resource.properties:
        declared = resource.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        wanted = declared["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        rules = s3.get_bucket_encryption(Bucket=resource.id)["ServerSideEncryptionConfiguration"]["Rules"]
        found = rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        require(found == wanted, f"{resource.id} is encrypted with {found}, not {wanted}")
        calls.append("get_bucket_encryption")
    if "PublicAccessBlockConfiguration" in resource.properties:
        s3.get_public_access_block(Bucket=resource.id)
        calls.append("get_public_access_block")
    return ", ".join(calls)


def _bucket_policy(client: ClientFactory, resource: Resource) -> str:
    bucket = resource.peer(resource.properties["Bucket"])
    policy = json.loads(client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    declared = resource.properties["PolicyDocument"]["Statement"]
    require(
        len(policy["Statement"]) == len(declared),
        f"{bucket} has {len(policy['Statement'])} statements of {len(declared)}",
    )
    return "s3 get_bucket_policy"


def _key(client: ClientFactory, resource: Resource) -> str:
    client("kms").describe_key(KeyId=resource.id)
    if resource.literal("EnableKeyRotation"):
        rotated = client("kms").get_key_rotation_status(KeyId=resource.id)["KeyRotationEnabled"]
        require(rotated, f"{resource.id} is not rotated")
    return "kms describe_key, get_key_rotation_status"


def _alias(client: ClientFactory, resource: Resource) -> str:
    pages = client("kms").get_paginator("list_aliases").paginate()
    names = {alias["AliasName"] for page in pages for alias in page["Aliases"]}
    require(resource.id in names, f"kms list_aliases knows no {resource.id}")
    return "kms list_aliases"


def _glue_table(client: ClientFactory, resource: Resource) -> str:
    database = resource.peer(resource.properties["DatabaseName"])
    name = resource.id.rpartition("|")[2]
    columns = client("glue").get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"]["Columns"]
    declared = resource.properties["TableInput"]["StorageDescriptor"]["Columns"]
    require(len(columns) == len(declared), f"{name} has {len(columns)} columns of {len(declared)}")
    return "glue get_table"


def _association(client: ClientFactory, resource: Resource) -> str:
    filters = [{"Name": "association.route-table-association-id", "Values": [resource.id]}]
    tables = client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
    found = [a["RouteTableAssociationId"] for table in tables for a in table["Associations"]]
    require(resource.id in found, f"ec2 describe_route_tables knows no {resource.id}")
    return "ec2 describe_route_tables"


def _group_rule(member: str) -> Probe:
    def probe(client: ClientFactory, resource: Resource) -> str:
        group_id = resource.peer(resource.properties["GroupId"])
        group = client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
        protocol = str(resource.literal("IpProtocol"))
        port = resource.literal("FromPort")
        rules = [
            rule for rule in group[member] if rule["IpProtocol"] == protocol and port in (None, rule.get("FromPort"))
        ]
        require(rules, f"{group_id} has no rule {resource.id}")
        return "ec2 describe_security_groups"

    return probe


def _role_policy(client: ClientFactory, resource: Resource) -> str:
    name = resource.literal("PolicyName") or resource.id
    for role in resource.properties.get("Roles", []):
        client("iam").get_role_policy(RoleName=resource.peer(role), PolicyName=name)
    require(resource.properties.get("Roles"), f"{name} is attached to no role")
    return "iam get_role_policy"


def _permission(client: ClientFactory, resource: Resource) -> str:
    function = resource.peer(resource.properties["FunctionName"])
    policy = json.loads(client("lambda").get_policy(FunctionName=function)["Policy"])
    require(resource.id in str(policy["Statement"]), f"the policy of {function} has no {resource.id}")
    return "lambda get_policy"


def _invoke_config(client: ClientFactory, resource: Resource) -> str:
    function = resource.peer(resource.properties["FunctionName"])
    config = client("lambda").get_function_event_invoke_config(FunctionName=function)
    wanted = resource.literal("MaximumRetryAttempts")
    require(wanted in (None, config.get("MaximumRetryAttempts")), f"{function} retries otherwise")
    return "lambda get_function_event_invoke_config"


def _function(client: ClientFactory, resource: Resource) -> str:
    found = client("lambda").get_function(FunctionName=resource.id)["Configuration"]
    for name in ("Handler", "Runtime"):
        require(resource.literal(name) in (None, found[name]), f"{resource.id} has another {name}")
    return "lambda get_function"


def _log_group(client: ClientFactory, resource: Resource) -> str:
    groups = client("logs").describe_log_groups(logGroupNamePrefix=resource.id)["logGroups"]
    group = next((group for group in groups if group["logGroupName"] == resource.id), None)
    if group is None:
        raise Missing(f"logs describe_log_groups knows no {resource.id}")
    wanted = resource.literal("RetentionInDays")
    require(wanted in (None, group.get("retentionInDays")), f"{resource.id} is kept for another time")
    return "logs describe_log_groups"


def _subscription(client: ClientFactory, resource: Resource) -> str:
    topic = resource.peer(resource.properties["TopicArn"])
    listed = client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    endpoint = resource.literal("Endpoint")
    require(
        any(resource.id == item["SubscriptionArn"] or endpoint == item["Endpoint"] for item in listed),
        f"{topic} has no subscription {resource.id}",
    )
    return "sns list_subscriptions_by_topic"


def _topic_policy(client: ClientFactory, resource: Resource) -> str:
    for reference in resource.properties["Topics"]:
        topic = resource.peer(reference)
        policy = client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
        _same_statements(topic, policy, resource)
    return "sns get_topic_attributes"


def _queue_policy(client: ClientFactory, resource: Resource) -> str:
    for reference in resource.properties["Queues"]:
        queue = resource.peer(reference)
        attributes = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]
        _same_statements(queue, attributes["Policy"], resource)
    return "sqs get_queue_attributes"


def _same_statements(owner: str, policy: str, resource: Resource) -> None:
    found, declared = json.loads(policy)["Statement"], resource.properties["PolicyDocument"]["Statement"]
    require(len(found) == len(declared), f"{owner} has {len(found)} statements of {len(declared)}")


def _rule(client: ClientFactory, resource: Resource) -> str:
    name = resource.id.rpartition("|")[2]
    client("events").describe_rule(Name=name)
    targets = client("events").list_targets_by_rule(Rule=name)["Targets"]
    declared = resource.properties.get("Targets", [])
    require(len(targets) == len(declared), f"{name} has {len(targets)} targets of {len(declared)}")
    return "events describe_rule, list_targets_by_rule"


def _schedule(client: ClientFactory, resource: Resource) -> str:
    group = resource.properties.get("GroupName")
    named: dict[str, Any] = {"Name": resource.id.rpartition("/")[2]}
    if group is not None:
        named["GroupName"] = resource.peer(group)
    client("scheduler").get_schedule(**named)
    return "scheduler get_schedule"


def _alarm(kind: str) -> Probe:
    def probe(client: ClientFactory, resource: Resource) -> str:
        types = [kind.removesuffix("s")]
        found = client("cloudwatch").describe_alarms(AlarmNames=[resource.id], AlarmTypes=types)[kind]
        require(found, f"cloudwatch describe_alarms knows no {resource.id}")
        metric = resource.literal("MetricName")
        require(metric in (None, found[0].get("MetricName")), f"{resource.id} watches another metric")
        return "cloudwatch describe_alarms"

    return probe


def _endpoint(client: ClientFactory, resource: Resource) -> str:
    name = resource.id.rpartition("/")[2]
    status = client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"]
    require(status == "InService", f"endpoint {name} is {status}")
    return "sagemaker describe_endpoint"


def _scalable_target(client: ClientFactory, resource: Resource) -> str:
    resource_id, dimension, namespace = resource.id.split("|")
    found = client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=namespace, ResourceIds=[resource_id], ScalableDimension=dimension
    )
    require(found["ScalableTargets"], f"there is no scalable target {resource.id}")
    return "application-autoscaling describe_scalable_targets"


def _scaling_policy(client: ClientFactory, resource: Resource) -> str:
    policies = client("application-autoscaling").describe_scaling_policies(ServiceNamespace="sagemaker")
    arns = {policy["PolicyARN"] for policy in policies["ScalingPolicies"]}
    require(resource.id in arns, f"there is no scaling policy {resource.id}")
    return "application-autoscaling describe_scaling_policies"


def _rotation(client: ClientFactory, resource: Resource) -> str:
    secret = client("secretsmanager").describe_secret(SecretId=resource.id)
    require(secret.get("RotationEnabled"), f"{resource.id} is not rotated")
    return "secretsmanager describe_secret"


def _job_definition(kind: str) -> Probe:
    return get_by_name("sagemaker", f"describe_{kind}_job_definition", "JobDefinitionName")


PROBES: dict[str, Probe] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": _scalable_target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling_policy,
    "AWS::Athena::WorkGroup": get("athena", "get_work_group", "WorkGroup"),
    "AWS::CloudWatch::Alarm": _alarm("MetricAlarms"),
    "AWS::CloudWatch::CompositeAlarm": _alarm("CompositeAlarms"),
    "AWS::CloudWatch::Dashboard": get("cloudwatch", "get_dashboard", "DashboardName"),
    "AWS::DynamoDB::Table": get("dynamodb", "describe_table", "TableName"),
    "AWS::EC2::FlowLog": get_list("ec2", "describe_flow_logs", "FlowLogIds", "FlowLogs"),
    "AWS::EC2::RouteTable": get_list("ec2", "describe_route_tables", "RouteTableIds", "RouteTables"),
    "AWS::EC2::SecurityGroup": get_list("ec2", "describe_security_groups", "GroupIds", "SecurityGroups"),
    "AWS::EC2::SecurityGroupEgress": _group_rule("IpPermissionsEgress"),
    "AWS::EC2::SecurityGroupIngress": _group_rule("IpPermissions"),
    "AWS::EC2::Subnet": get_list("ec2", "describe_subnets", "SubnetIds", "Subnets"),
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": get_list("ec2", "describe_vpcs", "VpcIds", "Vpcs"),
    "AWS::EC2::VPCEndpoint": get_list("ec2", "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints"),
    "AWS::Events::Rule": _rule,
    "AWS::Glue::Connection": get("glue", "get_connection", "Name"),
    "AWS::Glue::Database": get("glue", "get_database", "Name"),
    "AWS::Glue::Job": get("glue", "get_job", "JobName"),
    "AWS::Glue::SecurityConfiguration": get("glue", "get_security_configuration", "Name"),
    "AWS::Glue::Table": _glue_table,
    "AWS::Glue::Trigger": get("glue", "get_trigger", "Name"),
    "AWS::IAM::ManagedPolicy": get("iam", "get_policy", "PolicyArn"),
    "AWS::IAM::Policy": _role_policy,
    "AWS::IAM::Role": get("iam", "get_role", "RoleName"),
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::EventInvokeConfig": _invoke_config,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::LayerVersion": get("lambda", "get_layer_version_by_arn", "Arn"),
    "AWS::Lambda::Permission": _permission,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": get("sns", "get_topic_attributes", "TopicArn"),
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": get("sqs", "get_queue_attributes", "QueueUrl"),
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SSM::Parameter": get("ssm", "get_parameter", "Name"),
    "AWS::SageMaker::DataQualityJobDefinition": _job_definition("data_quality"),
    "AWS::SageMaker::Endpoint": _endpoint,
    "AWS::SageMaker::EndpointConfig": get_by_name("sagemaker", "describe_endpoint_config", "EndpointConfigName"),
    "AWS::SageMaker::Model": get_by_name("sagemaker", "describe_model", "ModelName"),
    "AWS::SageMaker::ModelBiasJobDefinition": _job_definition("model_bias"),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": _job_definition("model_explainability"),
    "AWS::SageMaker::ModelPackageGroup": get("sagemaker", "describe_model_package_group", "ModelPackageGroupName"),
    "AWS::SageMaker::ModelQualityJobDefinition": _job_definition("model_quality"),
    "AWS::SageMaker::MonitoringSchedule": get_by_name(
        "sagemaker", "describe_monitoring_schedule", "MonitoringScheduleName"
    ),
    "AWS::SageMaker::Pipeline": get("sagemaker", "describe_pipeline", "PipelineName"),
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": get("scheduler", "get_schedule_group", "Name"),
    "AWS::SecretsManager::ResourcePolicy": get(
        "secretsmanager", "get_resource_policy", "SecretId", member="ResourcePolicy"
    ),
    "AWS::SecretsManager::RotationSchedule": _rotation,
    "AWS::SecretsManager::Secret": get("secretsmanager", "describe_secret", "SecretId"),
    "AWS::StepFunctions::StateMachine": get("stepfunctions", "describe_state_machine", "stateMachineArn"),
}
