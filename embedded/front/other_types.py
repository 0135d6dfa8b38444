"""The resource types of other services that ministack does not know, each over its service's own API."""

from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded.front.resource_type import ApiCall, ClientFactory, Properties, ResourceType, only, renamed, without

_SCALABLE = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# What an anomaly detector watches, in either of the API's ways to say it.
_DETECTED = (
    "Namespace", "MetricName", "Dimensions", "Stat", "SingleMetricAnomalyDetector", "MetricMathAnomalyDetector",
)  # fmt: skip
_RULE_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _scalable_target_input(properties: Properties) -> Properties:
    tags = properties.get("Tags")
    rest = without("ScheduledActions", "Tags")(properties)
    return rest if not tags else {**rest, "Tags": {tag["Key"]: tag["Value"] for tag in tags}}


def _schedule_target(client: ClientFactory, properties: Properties) -> None:
    """A target's scheduled actions are a property of the type and calls of their own in the API."""
    scaling, key = client("application-autoscaling"), only(*_SCALABLE)(properties)
    wanted = {action["ScheduledActionName"]: action for action in properties.get("ScheduledActions", [])}
    for known in scaling.describe_scheduled_actions(**key)["ScheduledActions"]:
        if known["ScheduledActionName"] not in wanted:
            scaling.delete_scheduled_action(**key, ScheduledActionName=known["ScheduledActionName"])
    for action in wanted.values():
        ApiCall(operation="PutScheduledAction")(scaling, {**key, **action})


def _scaling_key(properties: Properties) -> Properties:
    """A policy names its target by the target's `Ref`, or by the same three properties as the target."""
    if "ScalingTargetId" not in properties:
        return properties
    resource, dimension, namespace = properties["ScalingTargetId"].split("|")
    key = {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    return {**without("ScalingTargetId")(properties), **key}


def _alarm_arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"


def _detector_id(properties: Properties) -> str:
    """A detector has no name; what it watches tells it from others."""
    watched = properties.get("SingleMetricAnomalyDetector", properties)
    return f"{watched.get('Namespace', 'math')}|{watched.get('MetricName', '')}|{watched.get('Stat', '')}"


def _rule(properties: Properties) -> Properties:
    """One ingress or egress rule as the permission of a security group."""
    permission: dict[str, Any] = {"IpProtocol": str(properties["IpProtocol"])}
    permission |= {key: int(properties[key]) for key in ("FromPort", "ToPort") if key in properties}
    for name, (ranges, key) in _RULE_PEERS.items():
        if name in properties:
            peer = {key: properties[name]}
            if "Description" in properties:
                peer["Description"] = properties["Description"]
            permission[ranges] = [peer]
    return {"GroupId": properties["GroupId"], "IpPermissions": [permission]}


def _rule_id(properties: Properties, response: Mapping[str, Any]) -> str:
    rules = response.get("SecurityGroupRules", [])
    return str(rules[0]["SecurityGroupRuleId"]) if rules else f"{properties['GroupId']}|{_peer(properties)}"


def _peer(properties: Properties) -> str:
    peer = next((str(properties[name]) for name in _RULE_PEERS if name in properties), "")
    ports = f"{properties.get('FromPort', '')}-{properties.get('ToPort', '')}"
    return f"{properties['IpProtocol']}|{ports}|{peer}"


def _flow_log_input(properties: Properties) -> Properties:
    """The type describes one resource; the API takes a list of them, and tags with the kind they tag."""
    rest = without("ResourceId", "Tags")(properties)
    tags = properties.get("Tags")
    if tags:
        rest["TagSpecifications"] = [{"ResourceType": "vpc-flow-log", "Tags": tags}]
    return {**rest, "ResourceIds": [properties["ResourceId"]]}


def _security_configuration_input(properties: Properties) -> Properties:
    """The type says S3Encryptions where the API says S3Encryption; both mean a list."""
    encryption = renamed({"S3Encryptions": "S3Encryption"})(properties["EncryptionConfiguration"])
    return {**properties, "EncryptionConfiguration": encryption}


def _rotation_input(properties: Properties) -> Properties:
    """A template that does not ask for a rotation at once gets none: no rotation runs here."""
    asked = renamed({"RotateImmediatelyOnUpdate": "RotateImmediately"})(properties)
    return {"RotateImmediately": False, **asked}


def _security_group_rule(direction: str) -> ResourceType:
    return ResourceType(
        name=f"AWS::EC2::SecurityGroup{direction}",
        service="ec2",
        create=ApiCall(operation=f"AuthorizeSecurityGroup{direction}", adapt=_rule),
        delete=ApiCall(operation=f"RevokeSecurityGroup{direction}", adapt=_rule),
        identify=_rule_id,
        attributes=lambda p, r: {"Id": _rule_id(p, r)},
    )


OTHER_TYPES = (
    ResourceType(
        name="AWS::ApplicationAutoScaling::ScalableTarget",
        service="application-autoscaling",
        create=ApiCall(operation="RegisterScalableTarget", adapt=_scalable_target_input),
        update=ApiCall(operation="RegisterScalableTarget", adapt=_scalable_target_input),
        delete=ApiCall(operation="DeregisterScalableTarget", adapt=only(*_SCALABLE)),
        identify=lambda p, r: f"{p['ResourceId']}|{p['ScalableDimension']}|{p['ServiceNamespace']}",
        attributes=lambda p, r: {"Id": f"{p['ResourceId']}|{p['ScalableDimension']}|{p['ServiceNamespace']}"},
        immutable=_SCALABLE,
        complete=_schedule_target,
    ),
    ResourceType(
        name="AWS::ApplicationAutoScaling::ScalingPolicy",
        service="application-autoscaling",
        create=ApiCall(operation="PutScalingPolicy", adapt=_scaling_key),
        update=ApiCall(operation="PutScalingPolicy", adapt=_scaling_key),
        delete=ApiCall(
            operation="DeleteScalingPolicy", adapt=lambda p: only(*_SCALABLE, "PolicyName")(_scaling_key(p))
        ),
        identify=lambda p, r: str(r["PolicyARN"]),
        attributes=lambda p, r: {"Arn": r["PolicyARN"]},
        immutable=("PolicyName", "ScalingTargetId", *_SCALABLE),
    ),
    ResourceType(
        name="AWS::Glue::DataQualityRuleset",
        service="glue",
        create=ApiCall(operation="CreateDataQualityRuleset"),
        update=ApiCall(operation="UpdateDataQualityRuleset", adapt=only("Name", "Description", "Ruleset")),
        delete=ApiCall(operation="DeleteDataQualityRuleset", adapt=only("Name")),
        identify=lambda p, r: str(p["Name"]),
        name_property="Name",
        name_length=255,
        immutable=("Name",),
    ),
    ResourceType(
        name="AWS::Glue::SecurityConfiguration",
        service="glue",
        create=ApiCall(operation="CreateSecurityConfiguration", adapt=_security_configuration_input),
        delete=ApiCall(operation="DeleteSecurityConfiguration", adapt=only("Name")),
        identify=lambda p, r: str(p["Name"]),
        name_property="Name",
        name_length=255,
    ),
    _security_group_rule("Ingress"),
    _security_group_rule("Egress"),
    ResourceType(
        name="AWS::EC2::FlowLog",
        service="ec2",
        create=ApiCall(operation="CreateFlowLogs", adapt=_flow_log_input),
        delete=ApiCall(operation="DeleteFlowLogs", adapt=lambda p: {"FlowLogIds": [p["PhysicalId"]]}),
        identify=lambda p, r: str(r["FlowLogIds"][0]),
        attributes=lambda p, r: {"Id": r["FlowLogIds"][0]},
        by_id=True,
    ),
    ResourceType(
        name="AWS::CloudWatch::CompositeAlarm",
        service="cloudwatch",
        create=ApiCall(operation="PutCompositeAlarm"),
        update=ApiCall(operation="PutCompositeAlarm"),
        delete=ApiCall(operation="DeleteAlarms", adapt=lambda p: {"AlarmNames": [p["AlarmName"]]}),
        identify=lambda p, r: str(p["AlarmName"]),
        attributes=lambda p, r: {"Arn": _alarm_arn(p["AlarmName"])},
        name_property="AlarmName",
        name_length=255,
        immutable=("AlarmName",),
    ),
    ResourceType(
        name="AWS::CloudWatch::AnomalyDetector",
        service="cloudwatch",
        create=ApiCall(operation="PutAnomalyDetector"),
        update=ApiCall(operation="PutAnomalyDetector"),
        delete=ApiCall(operation="DeleteAnomalyDetector", adapt=only(*_DETECTED)),
        identify=lambda p, r: _detector_id(p),
        attributes=lambda p, r: {"Id": _detector_id(p)},
        immutable=_DETECTED,
    ),
    ResourceType(
        name="AWS::SecretsManager::ResourcePolicy",
        service="secretsmanager",
        create=ApiCall(operation="PutResourcePolicy"),
        update=ApiCall(operation="PutResourcePolicy"),
        delete=ApiCall(operation="DeleteResourcePolicy", adapt=only("SecretId")),
        identify=lambda p, r: str(p["SecretId"]),
        attributes=lambda p, r: {"Id": p["SecretId"]},
        immutable=("SecretId",),
    ),
    ResourceType(
        name="AWS::SecretsManager::RotationSchedule",
        service="secretsmanager",
        create=ApiCall(operation="RotateSecret", adapt=_rotation_input),
        update=ApiCall(operation="RotateSecret", adapt=_rotation_input),
        delete=ApiCall(operation="CancelRotateSecret", adapt=only("SecretId")),
        identify=lambda p, r: str(p["SecretId"]),
        attributes=lambda p, r: {"Id": p["SecretId"]},
        immutable=("SecretId",),
    ),
)
