"""Probes that compare a resource with what its template says of it."""

import json

from embedded.probe import ClientFactory, Missing, Probe, Resource, require


def bucket(client: ClientFactory, resource: Resource) -> str:
    """It is there, versioned, encrypted and closed to the public, as far as it is declared to be."""
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


def bucket_policy(client: ClientFactory, resource: Resource) -> str:
    """The bucket has as many statements as are declared."""
    bucket = resource.peer(resource.properties["Bucket"])
    policy = json.loads(client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    declared = resource.properties["PolicyDocument"]["Statement"]
    require(
        len(policy["Statement"]) == len(declared),
        f"{bucket} has {len(policy['Statement'])} statements of {len(declared)}",
    )
    return "s3 get_bucket_policy"


def key(client: ClientFactory, resource: Resource) -> str:
    """It is there, and rotated if it is declared to be."""
    client("kms").describe_key(KeyId=resource.id)
    if resource.literal("EnableKeyRotation"):
        rotated = client("kms").get_key_rotation_status(KeyId=resource.id)["KeyRotationEnabled"]
        require(rotated, f"{resource.id} is not rotated")
    return "kms describe_key, get_key_rotation_status"


def feature_group(client: ClientFactory, resource: Resource) -> str:
    """It was created, with every feature that is declared."""
    group = client("sagemaker").describe_feature_group(FeatureGroupName=resource.id)
    require(group["FeatureGroupStatus"] == "Created", f"{resource.id} is {group['FeatureGroupStatus']}")
    found = {(item["FeatureName"], item["FeatureType"]) for item in group["FeatureDefinitions"]}
    declared = {(item["FeatureName"], item["FeatureType"]) for item in resource.properties["FeatureDefinitions"]}
    require(declared <= found, f"{resource.id} lacks {sorted(declared - found)}")
    return "sagemaker describe_feature_group"


def glue_table(client: ClientFactory, resource: Resource) -> str:
    """It is there, with as many columns as are declared."""
    database = resource.peer(resource.properties["DatabaseName"])
    name = resource.id.rpartition("|")[2]
    columns = client("glue").get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"]["Columns"]
    declared = resource.properties["TableInput"]["StorageDescriptor"]["Columns"]
    require(len(columns) == len(declared), f"{name} has {len(columns)} columns of {len(declared)}")
    return "glue get_table"


def quality_ruleset(client: ClientFactory, resource: Resource) -> str:
    """It is there, with its rules and its table."""
    found = client("glue").get_data_quality_ruleset(Name=resource.id)
    require(resource.literal("Ruleset") in (None, found["Ruleset"]), f"{resource.id} has other rules")
    table = resource.literal("TargetTable", "TableName")
    require(table in (None, found.get("TargetTable", {}).get("TableName")), f"{resource.id} is of another table")
    return "glue get_data_quality_ruleset"


def function(client: ClientFactory, resource: Resource) -> str:
    """It is there, with its handler, its runtime and its key."""
    found = client("lambda").get_function(FunctionName=resource.id)["Configuration"]
    for name in ("Handler", "Runtime"):
        require(resource.literal(name) in (None, found[name]), f"{resource.id} has another {name}")
    _encrypted(resource, "KmsKeyArn", found.get("KMSKeyArn"))
    return "lambda get_function"


def _encrypted(resource: Resource, declared: str, found: object) -> None:
    require(declared not in resource.properties or found, f"{resource.id} is declared with a key and has none")


def topic(client: ClientFactory, resource: Resource) -> str:
    """It is there, with its key."""
    attributes = client("sns").get_topic_attributes(TopicArn=resource.id)["Attributes"]
    _encrypted(resource, "KmsMasterKeyId", attributes.get("KmsMasterKeyId"))
    return "sns get_topic_attributes"


def queue(client: ClientFactory, resource: Resource) -> str:
    """It is there, with its key and its redrive policy."""
    found = client("sqs").get_queue_attributes(QueueUrl=resource.id, AttributeNames=["All"])["Attributes"]
    _encrypted(resource, "KmsMasterKeyId", found.get("KmsMasterKeyId"))
    require("RedrivePolicy" not in resource.properties or "RedrivePolicy" in found, f"{resource.id} has no redrive")
    return "sqs get_queue_attributes"


def table(client: ClientFactory, resource: Resource) -> str:
    """It is there, with its keys, its encryption and its point-in-time recovery."""
    dynamodb = client("dynamodb")
    found = dynamodb.describe_table(TableName=resource.id)["Table"]
    require(len(found["KeySchema"]) == len(resource.properties["KeySchema"]), f"{resource.id} has another key")
    _encrypted(resource, "SSESpecification", found.get("SSEDescription"))
    if resource.literal("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"):
        backups = dynamodb.describe_continuous_backups(TableName=resource.id)["ContinuousBackupsDescription"]
        status = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        require(status == "ENABLED", f"{resource.id} cannot be recovered to a point in time")
    return "dynamodb describe_table, describe_continuous_backups"


def state_machine(client: ClientFactory, resource: Resource) -> str:
    """It is there, and logs at the level that is declared."""
    found = client("stepfunctions").describe_state_machine(stateMachineArn=resource.id)
    wanted = resource.literal("LoggingConfiguration", "Level")
    level = found.get("loggingConfiguration", {}).get("level")
    require(wanted in (None, level), f"{resource.id} logs {level}, not {wanted}")
    return "stepfunctions describe_state_machine"


def log_group(client: ClientFactory, resource: Resource) -> str:
    """It is there, encrypted, and keeps its lines as long as declared."""
    groups = client("logs").describe_log_groups(logGroupNamePrefix=resource.id)["logGroups"]
    group = next((group for group in groups if group["logGroupName"] == resource.id), None)
    if group is None:
        raise Missing(f"logs describe_log_groups knows no {resource.id}")
    wanted = resource.literal("RetentionInDays")
    require(wanted in (None, group.get("retentionInDays")), f"{resource.id} is kept for another time")
    _encrypted(resource, "KmsKeyId", group.get("kmsKeyId"))
    return "logs describe_log_groups"


def topic_policy(client: ClientFactory, resource: Resource) -> str:
    """Each topic has as many statements as are declared."""
    for reference in resource.properties["Topics"]:
        topic = resource.peer(reference)
        policy = client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
        _same_statements(topic, policy, resource)
    return "sns get_topic_attributes"


def queue_policy(client: ClientFactory, resource: Resource) -> str:
    """Each queue has as many statements as are declared."""
    for reference in resource.properties["Queues"]:
        queue = resource.peer(reference)
        attributes = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]
        _same_statements(queue, attributes["Policy"], resource)
    return "sqs get_queue_attributes"


def _same_statements(owner: str, policy: str, resource: Resource) -> None:
    found, declared = json.loads(policy)["Statement"], resource.properties["PolicyDocument"]["Statement"]
    require(len(found) == len(declared), f"{owner} has {len(found)} statements of {len(declared)}")


def rule(client: ClientFactory, resource: Resource) -> str:
    """It is there, with all of its targets."""
    name = resource.id.rpartition("|")[2]
    client("events").describe_rule(Name=name)
    targets = client("events").list_targets_by_rule(Rule=name)["Targets"]
    declared = resource.properties.get("Targets", [])
    require(len(targets) == len(declared), f"{name} has {len(targets)} targets of {len(declared)}")
    return "events describe_rule, list_targets_by_rule"


def alarm(kind: str) -> Probe:
    """A probe of metric alarms or of composite alarms: it is there, and watches the declared metric."""

    def probe(client: ClientFactory, resource: Resource) -> str:
        types = [kind.removesuffix("s")]
        found = client("cloudwatch").describe_alarms(AlarmNames=[resource.id], AlarmTypes=types)[kind]
        require(found, f"cloudwatch describe_alarms knows no {resource.id}")
        metric = resource.literal("MetricName")
        require(metric in (None, found[0].get("MetricName")), f"{resource.id} watches another metric")
        return "cloudwatch describe_alarms"

    return probe


def endpoint(client: ClientFactory, resource: Resource) -> str:
    """It is there and in service."""
    name = resource.id.rpartition("/")[2]
    status = client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"]
    require(status == "InService", f"endpoint {name} is {status}")
    return "sagemaker describe_endpoint"
