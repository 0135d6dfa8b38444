"""What a reconciliation knows of a version: what the registry says of it."""

from typing import Any

from pipeline_scripts.functions.json_object import sha256_of


def target_of(package: dict[str, Any], *, staged: bool = False) -> dict[str, str]:
    """What the registry says of a version, flat and complete: what it lacks is empty.

    Args:
        package: The version.
        staged: Whether it was approved for a stage, with a note of its own.
    """
    note = package.get("ModelLifeCycle", {}).get("StageDescription") if staged else package.get("ApprovalDescription")
    properties = package.get("CustomerMetadataProperties", {})
    [container] = package["InferenceSpecification"]["Containers"]
    return {
        "package_arn": package["ModelPackageArn"],
        "version": str(package["ModelPackageVersion"]),
        "evidence_uri": properties.get("evidence_uri", ""),
        "artifact_uri": container.get("ModelDataUrl", ""),
        "artifact_sha256": properties.get("artifact_sha256", ""),
        "image": container.get("Image", ""),
        "environment_sha256": sha256_of(container.get("Environment", {})),
        "evidence_sha256": properties.get("evidence_sha256", ""),
        "execution": properties.get("pipeline_execution", ""),
        "dataset_hash": properties.get("dataset_hash", ""),
        "commit": properties.get("commit", ""),
        "author": properties.get("author", ""),
        "approver": package.get("LastModifiedBy", {}).get("UserProfileName")
        or package.get("LastModifiedBy", {}).get("IamIdentity", {}).get("Arn", "unknown"),
        "approval_note": note or "",
    }
