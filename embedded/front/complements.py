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
        found["BucketKeyEnabled"] = str(rule["BucketKeyEnabled"]).lower() == "true"
    return found


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """The type's rule in the API's words."""
    found: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        found["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        found["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        marker = str(rule["ExpiredObjectDeleteMarker"]).lower() == "true"
        found["Expiration"] = {"ExpiredObjectDeleteMarker": marker}
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


_COMPLEMENTS: dict[str, tuple[str, Complement]] = {"AWS::S3::Bucket": ("s3", complete_bucket)}
