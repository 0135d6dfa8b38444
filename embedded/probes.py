"""The probe of each resource type."""

import json
from typing import Any

from embedded import compared
from embedded.probe import ClientFactory, Probe, Resource, get, get_by_name, get_list, require


def _alias(client: ClientFactory, resource: Resource) -> str:
    pages = client("kms").get_paginator("list_aliases").paginate()
    names = {alias["AliasName"] for page in pages for alias in page["Aliases"]}
    require(resource.id in names, f"kms list_aliases knows no {resource.id}")
    return "kms list_aliases"


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


def _subscription(client: ClientFactory, resource: Resource) -> str:
    topic = resource.peer(resource.properties["TopicArn"])
    listed = client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    endpoint = resource.literal("Endpoint")
    require(
        any(resource.id == item["SubscriptionArn"] or endpoint == item["Endpoint"] for item in listed),
        f"{topic} has no subscription {resource.id}",
    )
    return "sns list_subscriptions_by_topic"


def _user_profile(client: ClientFactory, resource: Resource) -> str:
    name, domain = resource.id.split("|")
    client("sagemaker").describe_user_profile(DomainId=domain, UserProfileName=name)
    return "sagemaker describe_user_profile"


def _schedule(client: ClientFactory, resource: Resource) -> str:
    group = resource.properties.get("GroupName")
    named: dict[str, Any] = {"Name": resource.id.rpartition("/")[2]}
    if group is not None:
        named["GroupName"] = resource.peer(group)
    client("scheduler").get_schedule(**named)
    return "scheduler get_schedule"


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


def _anomaly_detector(client: ClientFactory, resource: Resource) -> str:
    namespace, metric, stat = resource.id.split("|")
    detectors = client("cloudwatch").describe_anomaly_detectors()["AnomalyDetectors"]
    found = [
        d for d in detectors if (d.get("Namespace"), d.get("MetricName"), d.get("Stat")) == (namespace, metric, stat)
    ]
    require(found or namespace == "math", f"there is no anomaly detector {resource.id}")
    return "cloudwatch describe_anomaly_detectors"


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
    "AWS::CloudWatch::Alarm": compared.alarm("MetricAlarms"),
    "AWS::CloudWatch::AnomalyDetector": _anomaly_detector,
    "AWS::CloudWatch::CompositeAlarm": compared.alarm("CompositeAlarms"),
    "AWS::CloudWatch::Dashboard": get("cloudwatch", "get_dashboard", "DashboardName"),
    "AWS::DynamoDB::Table": compared.table,
    "AWS::EC2::FlowLog": get_list("ec2", "describe_flow_logs", "FlowLogIds", "FlowLogs"),
    "AWS::EC2::RouteTable": get_list("ec2", "describe_route_tables", "RouteTableIds", "RouteTables"),
    "AWS::EC2::SecurityGroup": get_list("ec2", "describe_security_groups", "GroupIds", "SecurityGroups"),
    "AWS::EC2::SecurityGroupEgress": _group_rule("IpPermissionsEgress"),
    "AWS::EC2::SecurityGroupIngress": _group_rule("IpPermissions"),
    "AWS::EC2::Subnet": get_list("ec2", "describe_subnets", "SubnetIds", "Subnets"),
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": get_list("ec2", "describe_vpcs", "VpcIds", "Vpcs"),
    "AWS::EC2::VPCEndpoint": get_list("ec2", "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints"),
    "AWS::Events::Rule": compared.rule,
    "AWS::Glue::Connection": get("glue", "get_connection", "Name"),
    "AWS::Glue::DataQualityRuleset": compared.quality_ruleset,
    "AWS::Glue::Database": get("glue", "get_database", "Name"),
    "AWS::Glue::Job": get("glue", "get_job", "JobName"),
    "AWS::Glue::SecurityConfiguration": get("glue", "get_security_configuration", "Name"),
    "AWS::Glue::Table": compared.glue_table,
    "AWS::Glue::Trigger": get("glue", "get_trigger", "Name"),
    "AWS::IAM::ManagedPolicy": get("iam", "get_policy", "PolicyArn"),
    "AWS::IAM::Policy": _role_policy,
    "AWS::IAM::Role": get("iam", "get_role", "RoleName"),
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": compared.key,
    "AWS::Lambda::EventInvokeConfig": _invoke_config,
    "AWS::Lambda::Function": compared.function,
    "AWS::Lambda::LayerVersion": get("lambda", "get_layer_version_by_arn", "Arn"),
    "AWS::Lambda::Permission": _permission,
    "AWS::Logs::LogGroup": compared.log_group,
    "AWS::S3::Bucket": compared.bucket,
    "AWS::S3::BucketPolicy": compared.bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": compared.topic,
    "AWS::SNS::TopicPolicy": compared.topic_policy,
    "AWS::SQS::Queue": compared.queue,
    "AWS::SQS::QueuePolicy": compared.queue_policy,
    "AWS::SSM::Parameter": get("ssm", "get_parameter", "Name"),
    "AWS::SageMaker::DataQualityJobDefinition": _job_definition("data_quality"),
    "AWS::SageMaker::Domain": get("sagemaker", "describe_domain", "DomainId"),
    "AWS::SageMaker::Endpoint": compared.endpoint,
    "AWS::SageMaker::EndpointConfig": get_by_name("sagemaker", "describe_endpoint_config", "EndpointConfigName"),
    "AWS::SageMaker::FeatureGroup": compared.feature_group,
    "AWS::SageMaker::Model": get_by_name("sagemaker", "describe_model", "ModelName"),
    "AWS::SageMaker::ModelBiasJobDefinition": _job_definition("model_bias"),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": _job_definition("model_explainability"),
    "AWS::SageMaker::ModelPackageGroup": get("sagemaker", "describe_model_package_group", "ModelPackageGroupName"),
    "AWS::SageMaker::ModelQualityJobDefinition": _job_definition("model_quality"),
    "AWS::SageMaker::MonitoringSchedule": get_by_name(
        "sagemaker", "describe_monitoring_schedule", "MonitoringScheduleName"
    ),
    "AWS::SageMaker::Pipeline": get("sagemaker", "describe_pipeline", "PipelineName"),
    "AWS::SageMaker::UserProfile": _user_profile,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": get("scheduler", "get_schedule_group", "Name"),
    "AWS::SecretsManager::ResourcePolicy": get(
        "secretsmanager", "get_resource_policy", "SecretId", member="ResourcePolicy"
    ),
    "AWS::SecretsManager::RotationSchedule": _rotation,
    "AWS::SecretsManager::Secret": get("secretsmanager", "describe_secret", "SecretId"),
    "AWS::StepFunctions::StateMachine": compared.state_machine,
}
