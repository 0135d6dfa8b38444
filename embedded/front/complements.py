"""What ministack's own resource types leave out of their properties, added through the services' APIs.

Each complement runs after ministack has created or updated the resource.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

Properties = Mapping[str, Any]
Complement = Callable[[Any, str, Properties], None]


def register(*, client: Callable[[str], Any]) -> None:
    """Let every complement follow its type's handlers, on a thread of its own since it calls back."""
    for type, (service, complement) in _COMPLEMENTS.items():
        handlers = provisioners._RESOURCE_HANDLERS[type]
        for name in ("create", "update"):
            handlers[name] = _followed(handlers[name], name, service, complement, client)
    known = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda type: type in _COMPLEMENTS or known(type)


def _followed(
    handler: Callable[..., tuple[str, dict[str, str]]],
    name: str,
    service: str,
    complement: Complement,
    client: Callable[[str], Any],
) -> Callable[..., tuple[str, dict[str, str]]]:
    position = 1 if name == "create" else 2

    def handle(*arguments: Any) -> tuple[str, dict[str, str]]:
        physical_id, attributes = handler(*arguments)
        complement(client(service), physical_id, arguments[position])
        return physical_id, attributes

    return handle


def complete_bucket(s3: Any, bucket: str, properties: Properties) -> None:
    """Give a bucket its encryption, life cycle, access log, ownership and tags."""
    if "BucketEncryption" in properties:
        rules = [_encryption_rule(r) for r in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]]
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    if "LifecycleConfiguration" in properties:
        rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    if "LoggingConfiguration" in properties:
        declared = properties["LoggingConfiguration"]
        target = {
            "TargetBucket": declared.get("DestinationBucketName", bucket),
            "TargetPrefix": declared.get("LogFilePrefix", ""),
        }
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": target})
    if "OwnershipControls" in properties:
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=properties["OwnershipControls"])
    if properties.get("Tags"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": properties["Tags"]})


def _encryption_rule(rule: Properties) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "ServerSideEncryptionByDefault" in rule:
        found["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
    if "BucketKeyEnabled" in rule:
        found["BucketKeyEnabled"] = _true(rule["BucketKeyEnabled"])
    return found


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """The type's rule in the API's words."""
    found: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        found["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        found["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        found["Expiration"] = {"ExpiredObjectDeleteMarker": _true(rule["ExpiredObjectDeleteMarker"])}
    if "Transitions" in rule:
        found["Transitions"] = [
            {"Days": int(item["TransitionInDays"]), "StorageClass": item["StorageClass"]}
            for item in rule["Transitions"]
        ]
    if "NoncurrentVersionTransitions" in rule:
        found["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": int(item["TransitionInDays"]), "StorageClass": item["StorageClass"]}
            for item in rule["NoncurrentVersionTransitions"]
        ]
    if "NoncurrentVersionExpiration" in rule:
        days = int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        found["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "AbortIncompleteMultipartUpload" in rule:
        days = int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        found["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return found


def complete_topic(sns: Any, topic: str, properties: Properties) -> None:
    """Give a topic its key."""
    if properties.get("KmsMasterKeyId"):
        key = {"AttributeName": "KmsMasterKeyId", "AttributeValue": properties["KmsMasterKeyId"]}
        sns.set_topic_attributes(TopicArn=topic, **key)


def complete_table(dynamodb: Any, table: str, properties: Properties) -> None:
    """Give a table its key, its point-in-time recovery and its expiry."""
    encryption = properties.get("SSESpecification")
    if encryption and _true(encryption.get("SSEEnabled")):
        wanted = {key: encryption[key] for key in ("SSEType", "KMSMasterKeyId") if key in encryption}
        dynamodb.update_table(TableName=table, SSESpecification={"Enabled": True, **wanted})
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery:
        enabled = _true(recovery.get("PointInTimeRecoveryEnabled"))
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )
    expiry = properties.get("TimeToLiveSpecification")
    if expiry and dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] != (
        "ENABLED" if _true(expiry["Enabled"]) else "DISABLED"
    ):
        wanted = {"Enabled": _true(expiry["Enabled"]), "AttributeName": expiry["AttributeName"]}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def complete_function(lambda_: Any, function: str, properties: Properties) -> None:
    """Give a function the key of its environment and the queue of its failures."""
    wanted = {}
    if properties.get("KmsKeyArn"):
        wanted["KMSKeyArn"] = properties["KmsKeyArn"]
    if properties.get("DeadLetterConfig"):
        wanted["DeadLetterConfig"] = properties["DeadLetterConfig"]
    if wanted:
        lambda_.update_function_configuration(FunctionName=function, **wanted)


def complete_state_machine(states: Any, machine: str, properties: Properties) -> None:
    """Give a state machine its log, whose settings the API spells with a small letter."""
    if "LoggingConfiguration" in properties:
        logging = _small(properties["LoggingConfiguration"])
        logging["includeExecutionData"] = _true(logging.get("includeExecutionData"))
        states.update_state_machine(stateMachineArn=machine, loggingConfiguration=logging)


def _small(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _small(item) for key, item in value.items()}
    return [_small(item) for item in value] if isinstance(value, list) else value


def _true(value: Any) -> bool:
    """A truth that a template may carry as text."""
    return str(value).lower() == "true"


_COMPLEMENTS: dict[str, tuple[str, Complement]] = {
    "AWS::DynamoDB::Table": ("dynamodb", complete_table),
    "AWS::Lambda::Function": ("lambda", complete_function),
    "AWS::S3::Bucket": ("s3", complete_bucket),
    "AWS::SNS::Topic": ("sns", complete_topic),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", complete_state_machine),
}
